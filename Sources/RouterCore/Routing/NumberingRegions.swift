/// What a region's telephones dial.
struct NumberingRegion: Sendable {
  /// Digits of the country code.
  let code: String
  /// What stands before a national number, e.g. `0`; most regions have one, some none.
  let trunkPrefixes: [String]
  /// Whether national numbers are dialled without a prefix as a rule.
  let isTrunkPrefixOptional: Bool
  /// What stands before an international number, e.g. `00`.
  let internationalPrefixes: [String]
  /// Bit n: there are national numbers of n digits, without prefix.
  let lengths: UInt32

  func has(length: Int) -> Bool { length >= 0 && length < 32 && lengths & (1 << UInt32(length)) != 0 }
  var longest: Int { 31 - lengths.leadingZeroBitCount }

  /// All regions by their ISO 3166 code.
  static let all: [String: NumberingRegion] = {
    var regions: [String: NumberingRegion] = [:]
    for word in table.split(whereSeparator: \.isWhitespace) {
      let parts = word.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
      precondition(parts.count == 5, "a region has five parts: \(word)")
      regions[parts[0]] = NumberingRegion(
        code: parts[1], trunkPrefixes: list(parts[2].filter { $0 != "?" }),
        isTrunkPrefixOptional: parts[2].isEmpty || parts[2].hasSuffix("?"),
        internationalPrefixes: list(parts[3]),
        lengths: list(parts[4]).reduce(0) { $0 | mask($1) })
    }
    return regions
  }()

  private static func list(_ text: String) -> [String] { text.split(separator: ",").map(String.init) }

  /// `8-10` or `9`.
  private static func mask(_ range: String) -> UInt32 {
    let ends = range.split(separator: "-").compactMap { Int($0) }
    guard let first = ends.first, let last = ends.last else { return 0 }
    return (first...last).reduce(0) { $0 | 1 << UInt32($1) }
  }

  /// Region, country code, trunk prefixes (`?`: may be left out), international prefixes, lengths of national numbers: facts of ITU-T E.164
  /// and the national plans, compared with libphonenumber 8.12 (docs/decisions/0041-numbers.md).
  private static let table = """
    AC:247::00:5-6 AD:376::00:6,8-9 AE:971:0:00:6-12 AF:93:0:00:9 AG:1:1:011:10 AI:1:1:011:10
    AL:355:0:00:6-9 AM:374:0:00:8 AO:244::00:9 AR:54:0:00:10-11 AS:1:1:011:10 AT:43:0:00:6-13
    AU:61:0:0011,0014,0015,0018:6-10,12 AW:297::00:7 AX:358:0:00,990:6-12 AZ:994:0:00:9 BA:387:0:00:8-9
    BB:1:1:011:10 BD:880:0:00:6-10 BE:32:0:00:8-9 BF:226::00:8 BG:359:0:00:6-9 BH:973::00:8 BI:257::00:8
    BJ:229::00:8,10 BL:590:0:00:9 BM:1:1:011:10 BN:673::00:7 BO:591:0?:00,0011,0010,0014,0015:8-9
    BQ:599::00:7-8 BR:55:0:0014,0015,0021:8-11 BS:1:1:011:10 BT:975::00:7-8 BW:267::00:7-8,10
    BY:375:80,8:810:9 BZ:501::00:7,11 CA:1:1:011:10 CC:61:0:0011,0014,0015,0018:6-10,12 CD:243:0:00:7,9
    CF:236::00:8 CG:242::00:9 CH:41:0:00:9,12 CI:225::00:10 CK:682::00:5 CL:56::00:9-11 CM:237::00:8-9
    CN:86:0:00:7-12 CO:57:0?:009,007,005:10-11 CR:506::00:8,10 CU:53:0:119:6-8,10 CV:238::0:7
    CW:599::00:7-8 CX:61:0:0011,0014,0015,0018:6-10,12 CY:357::00:8 CZ:420::00:9-12 DE:49:0:00:6-13
    DJ:253::00:8 DK:45::00:8 DM:1:1:011:10 DO:1:1:011:10 DZ:213:0:00:8-9 EC:593:0:00:8-11 EE:372::00:7-8,10
    EG:20:0:00:8-10 EH:212:0:00:9 ER:291:0:00:7 ES:34::00:9 ET:251:0:00:9 FI:358:0:00,990:6-12
    FJ:679::00:7,11 FK:500::00:5 FM:691::00:7 FO:298::00:6 FR:33:0:00:9 GA:241::00:7-8 GB:44:0:00:7,9-10
    GD:1:1:011:10 GE:995:0:00:9 GF:594:0:00:9 GG:44:0:00:7,9-10 GH:233:0:00:8-9 GI:350::00:8 GL:299::00:6
    GM:220::00:7 GN:224::00:8-9 GP:590:0:00:9 GQ:240::00:9 GR:30::00:10-12 GT:502::00:8,11 GU:1:1:011:10
    GW:245::00:7,9 GY:592::001:7 HK:852::00,001,002,009,007:6-9,11 HN:504::00:8,11 HR:385:0:00:6-9
    HT:509::00:8 HU:36:06:00:8-9 ID:62:0:009:7-13 IE:353:0:00:7-10 IL:972:0:00,012,013,018,019:7-12
    IM:44:0:00:7,9-10 IN:91:0:00:8-13 IO:246::00:7 IQ:964:0:00:8-10 IR:98:0:00:6-7,10 IS:354::00:7,9
    IT:39::00:6-12 JE:44:0:00:7,9-10 JM:1:1:011:10 JO:962:0:00:8-9 JP:81:0:010:8-13 KE:254:0:000:7-10
    KG:996:0:00:9-10 KH:855:0:001,009,007,005:8-10 KI:686:0?:00:8 KM:269::00:7 KN:1:1:011:10
    KP:850:0:00,99:8,10 KR:82:0:001,002,009,005:6,8-13 KW:965::00:7-8 KY:1:1:011:10 KZ:7:8:810:10,14
    LA:856:0:00:8-10 LB:961:0?:00:7-8 LC:1:1:011:10 LI:423:0?:00:7,9 LK:94:0:00:9 LR:231:0:00:7-9
    LS:266::00:8 LT:370:0,8:00:8 LU:352::00:6-11 LV:371::00:8 LY:218:0:00:9 MA:212:0:00:9 MC:377:0?:00:8-9
    MD:373:0:00:8 ME:382:0:00:8-9 MF:590:0:00:9 MG:261:0:00:9 MH:692:1?:011:7 MK:389:0:00:8 ML:223::00:8
    MM:95:0:00:6-10 MN:976:0?:001:8-10 MO:853::00:7-8 MP:1:1:011:10 MQ:596:0:00:9 MR:222::00:8
    MS:1:1:011:10 MT:356::00:8 MU:230::00:7-8,10 MV:960::00,019:7,10 MW:265:0:00:7,9 MX:52:01?:00:10-11
    MY:60:0:00:8-10 MZ:258::00:8-9 NA:264:0:00:8-9 NC:687::00:6 NE:227::00:8 NF:672::00:6
    NG:234:0:009:7-8,10-12 NI:505::00:8 NL:31:0:00:6-11 NO:47::00:8 NP:977:0:00:8,10-11 NR:674::00:7
    NU:683::00:4,7 NZ:64:0:00:6-10 OM:968::00:7-9 PA:507::00:7-8,10-11 PE:51:0:00:8-9 PF:689::00:6,8-9
    PG:675::00:7-8 PH:63:0:00:6,8-13 PK:92:0:00:8-12 PL:48::00:6-10 PM:508:0:00:6,9 PR:1:1:011:10
    PS:970:0:00:8-10 PT:351::00:9 PW:680::011,012:7 PY:595:0:00:6-11 QA:974::00:7-9 RE:262:0:00:9
    RO:40:0:00:6,9 RS:381:0:00:6-12 RU:7:8:810:10,14 RW:250:0:00:8-9 SA:966:0:00:9-10 SB:677::00:5,7
    SC:248::00,010:7 SD:249:0:00:9 SE:46:0:00:6-10,12
    SG:65::011,001,002,010,009,007,012,013,018,019,005:8,10-11 SH:290::00:4-5 SI:386:0:00:6-8 SJ:47::00:8
    SK:421:0:00:6-7,9 SL:232:0:00:8 SM:378::00:8,10 SN:221::00:9 SO:252:0?:00:6-9 SR:597:?:00:6-7
    SS:211:0:00:9 ST:239::00:7 SV:503::00:7-8,11 SX:1:1:011:10 SY:963:0:00:8-9 SZ:268::00:8-9
    TA:290::00:4-5 TC:1:1:011:10 TD:235::00:8 TG:228::00:8 TH:66:0:001,002,009,007,005:8-10,13
    TJ:992::810:9 TK:690::00:4-7 TL:670::00:7-8 TM:993:8:810:8 TN:216::00:8 TO:676::00:5,7
    TR:90:0:00:7,10,12-13 TT:1:1:011:10 TV:688::00:5-7 TW:886:0:002,009,007,019,005:7-11 TZ:255:0:005:9
    UA:380:0:00:9-10 UG:256:0:007,005:9 US:1:1:011:10 UY:598:0?:00:7-8,10 UZ:998:8:810:9 VA:39::00:6-12
    VC:1:1:011:10 VE:58:0:00:10 VG:1:1:011:10 VI:1:1:011:10 VN:84:0:00:7-10 VU:678::00:5,7 WF:681::00:6,9
    WS:685::0:6-7,10 XK:383:0:00:8-9 YE:967:0:00:7-9 YT:262:0:00:9 ZA:27:0:00:6-10 ZM:260:0:00:9
    ZW:263:0:00:6-10
    """
}
