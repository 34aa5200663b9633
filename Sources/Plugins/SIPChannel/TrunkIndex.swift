internal import RouterCore

/// Finds the trunk that a peer belongs to by its address: the longest prefix wins, so a carrier's block and one
/// gateway of it can be two trunks. The cost is one look-up for each length in use, not for each trunk.
struct TrunkIndex {
  private var byLength: [(length: Int, trunks: [UInt128: Trunk])] = []

  /// The trunks that have credentials but no address list: their peers are recognised by digest alone.
  private(set) var byUsername: [String: Trunk] = [:]

  /// Addresses that cannot be read are left out; the route file's own check names them.
  init(_ trunks: [Trunk]) {
    var lengths: [Int: [UInt128: Trunk]] = [:]
    for trunk in trunks {
      for prefix in trunk.addresses.compactMap(AddressPrefix.init) {
        // Two trunks with the same block: the first one written has it.
        if lengths[prefix.length]?[prefix.bits] == nil {
          lengths[prefix.length, default: [:]][prefix.bits] = trunk
        }
      }
      if trunk.addresses.isEmpty, let credentials = trunk.credentials {
        if byUsername[credentials.username] == nil { byUsername[credentials.username] = trunk }
      }
    }
    byLength = lengths.sorted { $0.key > $1.key }.map { (length: $0.key, trunks: $0.value) }
  }

  /// The trunk of a source address, numeric and without a port.
  func trunk(from address: String) -> Trunk? {
    guard !byLength.isEmpty, let bits = AddressPrefix.bits(of: address) else { return nil }
    for (length, trunks) in byLength {
      if let trunk = trunks[bits & AddressPrefix.mask(length)] { return trunk }
    }
    return nil
  }
}
