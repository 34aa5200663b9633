import RouterTesting
import Foundation
import RouterCore

/// baresip as a caller: it dials, sends a tone and records what it hears.
struct Baresip {
  /// What came of a call.
  struct Outcome: Sendable {
    var log: String
    /// What was heard, 8 kHz.
    var heard: [Int16]
  }

  var target: String
  /// Parameters of its account, e.g. `;mediaenc=srtp-mand`.
  var account = ""
  /// How long it stays, dialling included.
  var seconds = 5
  var frequency = 440.0
  var codec = "PCMU"

  init(_ target: String) { self.target = target }

  func call() async throws -> Outcome {
    let workplace = try Workplace()
    let tone = workplace.path("tone.wav")
    try Tone.wav(Tone.samples(frequency, milliseconds: 20_000)).write(to: URL(filePath: tone))
    try workplace.write("config", configuration(tone, workplace.folder.path))
    try workplace.write("accounts", "<sip:tester@127.0.0.1>;regint=0;audio_codecs=\(codec)\(account)\n")
    try workplace.write("contacts", "")
    let program = try RunningProgram(
      "/usr/bin/baresip", ["-f", workplace.folder.path, "-t", "\(seconds)", "-e", "/dial \(target)"],
      in: workplace.folder, environment: ["TERM": "dumb"])
    _ = await program.exitCode(within: .seconds(seconds + 15))
    let recorded = try FileManager.default.contentsOfDirectory(atPath: workplace.folder.path)
      .first { $0.hasSuffix("-dec.wav") }
    let wav = try recorded.map { try Data(contentsOf: URL(filePath: workplace.path($0))) }
    return Outcome(log: program.output + program.errors, heard: wav.map(Tone.samples(wav:)) ?? [])
  }

  private func configuration(_ tone: String, _ folder: String) -> String {
    """
    sip_listen 127.0.0.1:0
    net_interface 127.0.0.1
    audio_player aubridge,sink
    audio_source aufile,\(tone)
    audio_alert aubridge,alert
    ausrc_channels 1
    auplay_channels 1
    rtp_ports 17300-17498
    jitter_buffer_delay 2-5
    module_path /usr/lib/baresip/modules
    module g711.so
    module aufile.so
    module aubridge.so
    module sndfile.so
    module srtp.so
    module_app account.so
    module_app menu.so
    module_tmp uuid.so
    snd_path \(folder)
    """
  }
}
