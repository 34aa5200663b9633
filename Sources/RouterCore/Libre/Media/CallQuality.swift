/// An estimate of how a call sounds (E-model, ITU-T G.107).
enum CallQuality {
  /// Mean opinion score, 1…4.41.
  ///
  /// - Parameters:
  ///   - loss: Share of packets that were lost or came too late, 0…1.
  ///   - delay: Mouth to ear, milliseconds: way, jitter buffer, packet.
  static func meanOpinionScore(loss: Double, delay: Double) -> Double {
    // Packet-loss robustness of G.711 with concealment (ITU-T G.113 table I.4). Wideband codecs have no figures on
    // this scale; those of G.711 stand for them.
    let robustness = 25.1
    let percent = min(max(loss, 0), 1) * 100
    let equipment = 95 * percent / (percent + robustness)
    let echoFree = 0.024 * delay + (delay > 177.3 ? 0.11 * (delay - 177.3) : 0)
    let rating = min(max(93.2 - echoFree - equipment, 0), 100)
    return 1 + 0.035 * rating + rating * (rating - 60) * (100 - rating) * 7e-6
  }
}
