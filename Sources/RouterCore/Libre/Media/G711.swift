/// ITU-T G.711 by table: each direction costs one look-up a sample.
///
/// librem has tables too, but its encoder reads before the table's start for the sample -32768.
enum G711 {
  /// Linear samples of the 256 codes.
  static func linear(of law: AudioFormat.Encoding) -> UnsafePointer<Int16> {
    law == .aLaw ? aLaw.linear : muLaw.linear
  }

  /// The code of a linear sample, by ``index(_:)``.
  static func codes(of law: AudioFormat.Encoding) -> UnsafePointer<UInt8> {
    law == .aLaw ? aLaw.codes : muLaw.codes
  }

  /// Both laws look at no more than the upper 14 bits.
  @inline(__always) static func index(_ sample: Int16) -> Int { (Int(sample) + 32768) >> 2 }

  static func decode(
    _ codes: UnsafeRawBufferPointer, _ law: AudioFormat.Encoding, into samples: inout [Int16]
  ) {
    let table = linear(of: law)
    samples.append(contentsOf: codes.lazy.map { table[Int($0)] })
  }

  static func encode(
    _ samples: UnsafeBufferPointer<Int16>, _ law: AudioFormat.Encoding, into bytes: inout [UInt8]
  ) {
    let table = codes(of: law)
    bytes.append(contentsOf: samples.lazy.map { table[index($0)] })
  }

  private struct Tables: @unchecked Sendable {  // written once, never freed
    let linear: UnsafePointer<Int16>
    let codes: UnsafePointer<UInt8>

    init(decode: (UInt8) -> Int16, encode: (Int) -> UInt8) {
      let linear = UnsafeMutablePointer<Int16>.allocate(capacity: 256)
      for code in 0..<256 { linear[code] = decode(UInt8(code)) }
      let codes = UnsafeMutablePointer<UInt8>.allocate(capacity: 16384)
      for index in 0..<16384 { codes[index] = encode((index << 2) - 32768) }
      self.linear = UnsafePointer(linear)
      self.codes = UnsafePointer(codes)
    }
  }

  private static let muLaw = Tables(
    decode: { code in
      let bits = Int(~code)
      let magnitude = (((bits & 0x0F) << 3) + 0x84) << ((bits & 0x70) >> 4)
      return Int16(bits & 0x80 != 0 ? 0x84 - magnitude : magnitude - 0x84)
    },
    encode: { sample in
      let sign: Int = sample < 0 ? 0x80 : 0
      let magnitude = min(abs(sample), 32635) + 0x84
      let segment = Int.bitWidth - 1 - magnitude.leadingZeroBitCount - 7
      return ~UInt8(sign | segment << 4 | (magnitude >> (segment + 3)) & 0x0F)
    })

  private static let aLaw = Tables(
    decode: { code in
      let bits = Int(code ^ 0x55)
      let segment = (bits & 0x70) >> 4
      let mantissa = (bits & 0x0F) << 4
      let magnitude = segment == 0 ? mantissa + 8 : (mantissa + 0x108) << (segment - 1)
      return Int16(bits & 0x80 != 0 ? magnitude : -magnitude)
    },
    encode: { sample in
      // The negative side is one's complement: -1 belongs to the first step below zero.
      let sign = sample < 0 ? 0 : 0x80
      let magnitude = min(sample < 0 ? ~sample : sample, 32767)
      let segment = max(0, Int.bitWidth - 1 - magnitude.leadingZeroBitCount - 7)
      let mantissa = (magnitude >> (segment == 0 ? 4 : segment + 3)) & 0x0F
      return UInt8(sign | segment << 4 | mantissa) ^ 0x55
    })
}

extension AudioFormat {
  /// The byte that silence consists of.
  var silence: UInt8 {
    switch encoding {
    case .linear16: 0
    case .muLaw: 0xFF
    case .aLaw: 0xD5
    }
  }

  /// Bytes of 20 ms.
  var frameBytes: Int { sampleRate / 50 * bytesPerSample }
}
