import Foundation

/// A recording of `routerd call --record`: left the caller, right the agent.
struct StereoSound {
  let sampleRate: Int
  let left: [Int16]
  let right: [Int16]

  init(_ path: String) throws {
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    func number(_ at: Int, _ count: Int) -> Int {
      (0..<count).reduce(0) { $0 | Int(bytes[at + $1]) << (8 * $1) }
    }
    struct Malformed: Error {}
    guard bytes.count > 44, number(22, 2) == 2, number(34, 2) == 16, number(40, 4) == bytes.count - 44 else {
      throw Malformed()
    }
    sampleRate = number(24, 4)
    let samples = stride(from: 44, to: bytes.count - 1, by: 2).map {
      Int16(truncatingIfNeeded: number($0, 2))
    }
    left = stride(from: 0, to: samples.count - 1, by: 2).map { samples[$0] }
    right = stride(from: 1, to: samples.count, by: 2).map { samples[$0] }
  }

  var seconds: Double { Double(left.count) / Double(sampleRate) }

  /// How many seconds of a channel are sound, in pieces of 20 ms above -46 dBFS.
  func loudSeconds(_ channel: [Int16]) -> Double {
    Double(loudPieces(channel).count) * 0.02
  }

  /// When a channel sounds for the first time, in seconds.
  func onset(_ channel: [Int16]) -> Double? { loudPieces(channel).first.map { Double($0) * 0.02 } }

  private func loudPieces(_ channel: [Int16]) -> [Int] {
    let length = sampleRate / 50
    return (0..<channel.count / length).filter { piece in
      let samples = channel[piece * length..<(piece + 1) * length]
      let energy = samples.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(length)
      return energy > 164 * 164
    }
  }
}
