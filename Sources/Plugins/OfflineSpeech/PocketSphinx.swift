internal import CPocketSphinx
internal import Glibc

/// One decoder of pocketsphinx: holds some grammars. One thread at a time.
final class PocketSphinx {
  /// Grammars that stay loaded in one decoder.
  private static let maximumGrammars = 16
  private static let phoneLoop = "phones"

  /// What an utterance came to.
  struct Heard: Sendable, Equatable {
    var words: String
    /// How well the words explain the sound, beside free phones: 0 is as well, negative is worse. Log likelihood for
    /// each 10 ms of sound, in pocketsphinx's own scale.
    var score: Double
  }

  private let decoder: OpaquePointer
  private var grammars: [Grammar] = []

  /// The acoustic model and the dictionary, in the model's folder.
  private static let parts = (model: "en-us", dictionary: "cmudict-en-us.dict")

  /// What is missing of a model; `nil` when all of it is there.
  static func missing(in modelDirectory: String) -> String? {
    [parts.model, parts.dictionary].first { access("\(modelDirectory)/\($0)", R_OK) != 0 }
  }

  /// `nil` when the model is not there or is no model.
  init?(modelDirectory: String) {
    let parts = PocketSphinx.parts
    guard let decoder = cps_new("\(modelDirectory)/\(parts.model)", "\(modelDirectory)/\(parts.dictionary)")
    else {
      return nil
    }
    self.decoder = decoder
    let phones = """
      AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y Z ZH
      """.split(separator: " ")
    for phone in phones { ps_add_word(decoder, "phone-\(phone)", String(phone), 0) }
    let loop = """
      #JSGF V1.0;
      grammar phones;
      public <utterance> = ( \(phones.map { "phone-\($0)" }.joined(separator: " | ")) )+ ;

      """
    guard ps_set_jsgf_string(decoder, PocketSphinx.phoneLoop, loop) == 0 else {
      ps_free(decoder)
      return nil
    }
  }

  deinit { ps_free(decoder) }

  /// Recognises one utterance: 16 kHz linear samples. Empty words when nothing in the grammar fits.
  func recognise(_ samples: [Int16], _ grammar: Grammar) -> Heard {
    guard let name = load(grammar), let (words, score) = decode(samples, name),
      let (_, free) = decode(samples, PocketSphinx.phoneLoop)
    else { return Heard(words: "", score: 0) }
    let frames = Double(max(1, samples.count / 160))
    return Heard(words: grammar.phrase(in: words), score: Double(score - free) / frames)
  }

  private func decode(_ samples: [Int16], _ search: String) -> (String, Int)? {
    guard ps_set_search(decoder, search) == 0, ps_start_utt(decoder) == 0 else { return nil }
    samples.withUnsafeBufferPointer { _ = ps_process_raw(decoder, $0.baseAddress, $0.count, 0, 1) }
    guard ps_end_utt(decoder) == 0 else { return nil }
    var score: Int32 = 0
    guard let words = ps_get_hyp(decoder, &score) else { return nil }
    return (String(cString: words), Int(score))
  }

  /// The name of the grammar's search; teaches its words first. `nil` when there is nothing to listen for.
  private func load(_ grammar: Grammar) -> String? {
    let name = "grammar-\(UInt(bitPattern: grammar.hashValue))"
    if let index = grammars.firstIndex(of: grammar) {
      grammars.append(grammars.remove(at: index))
      return name
    }
    guard let jsgf = grammar.jsgf(isKnown: know) else { return nil }
    if grammars.count == PocketSphinx.maximumGrammars {
      let oldest = grammars.removeFirst()
      ps_unset_search(decoder, "grammar-\(UInt(bitPattern: oldest.hashValue))")
    }
    guard ps_set_jsgf_string(decoder, name, jsgf) == 0 else { return nil }
    grammars.append(grammar)
    return name
  }

  /// Whether the decoder knows a word; one that is not in its dictionary is taught by flite's letter-to-sound rules.
  private func know(_ word: String) -> Bool {
    if let phones = ps_lookup_word(decoder, word) {
      ckd_free(phones)
      return true
    }
    guard let phones = Flite.pronounce(word) else { return false }
    return ps_add_word(decoder, word, phones, 0) >= 0
  }
}
