import Testing

@testable import RouterCore

@Suite struct NumberingTests {
  @Test(arguments: [
    (nil, "+442079460001", "+442079460001"), (nil, "+44 (20) 7946-0001", "+442079460001"),
    (nil, "tel:+44-20-7946-0001", "+442079460001"), (nil, "%2B442079460001", "+442079460001"),
    (nil, "sip:+442079460001@carrier.example;user=phone", "+442079460001"),
    (nil, "+442079460001;npdi;rn=+4410", "+442079460001"),
    (nil, "7946 0001;phone-context=+4420", "+442079460001"), (nil, "02079460001", nil),
    (nil, "00442079460001", nil),
    ("GB", "020 7946 0001", "+442079460001"), ("GB", "0044 20 7946 0001", "+442079460001"),
    ("GB", "442079460001", "+442079460001"), ("GB", "2079460001", "+442079460001"), ("GB", "79460001", nil),
    ("GB", "0200", nil), ("GB", "999", nil), ("GB", "sales", nil), ("GB", "+15551230001", "+15551230001"),
    ("US", "5551230001", "+15551230001"), ("US", "15551230001", "+15551230001"),
    ("US", "(555) 123-0001", "+15551230001"),
    ("US", "011442079460001", "+442079460001"), ("US", "911", nil), ("US", "1230001", nil),
    ("US", "442079460001", nil),
    ("DE", "030/123456", "+4930123456"), ("DE", "0049 30 123456", "+4930123456"),
    ("DE", "4930123456", "+4930123456"),
    ("DE", "2001", nil), ("FR", "01 23 45 67 89", "+33123456789"), ("IT", "02 1234 5678", "+390212345678"),
    ("ES", "810 12 34 56", "+34810123456"), ("DK", "32 12 34 56", "+4532123456"), ("DK", "201", nil),
    ("HU", "06 1 234 5678", "+3612345678"), ("RU", "8 (301) 123-45-67", "+73011234567"),
    ("RU", "810442079460001", "+442079460001"), ("AU", "0011 44 20 7946 0001", "+442079460001"),
    ("AU", "(02) 1234 5678", "+61212345678"), ("BY", "8 029 491-19-11", "+375294911911"),
    ("SG", "6123 4567", "+6561234567"),
    ("CN", "13123456789", "+8613123456789"), ("JP", "03-1234-5678", "+81312345678"),
    ("JP", "010442079460001", "+442079460001"),
    ("GB", "", nil), ("GB", "+", nil), ("GB", "+0123456", nil), ("GB", "+1234567890123456", nil),
    ("GB", "++44", nil),
    ("GB", "0" + String(repeating: "1", count: 100), nil),
  ])
  func whatIsDialledBecomesInternationalOrStays(region: String?, text: String, expected: String?) {
    #expect(Numbering(region: region).normalize(text)?.description == expected)
  }

  @Test func everyStepIsSaid() {
    #expect(
      Numbering(region: "GB").steps("020 7946 0001") == [
        "separators taken out", "0 before a national number (region GB)",
      ])
    #expect(
      Numbering(region: "US").steps("011442079460001") == ["011 before an international number (region US)"])
    #expect(Numbering(region: "GB").steps("+442079460001") == [])
    #expect(Numbering(region: "GB").steps("sales") == [])
    #expect(Numbering().steps("020 7946 0001") == ["not read as a number: there is no region"])
    #expect(["0200", "sales", "+442079460001"].allSatisfy { Numbering().steps($0) == [] })
  }

  @Test func everyRegionCanBeRead() {
    #expect(NumberingRegion.all.count == 245)
    for (name, region) in NumberingRegion.all {
      #expect(Numbering.fault(inRegion: name) == nil)
      #expect(region.lengths != 0 && (1...3).contains(region.code.count), "\(name)")
      #expect(region.longest + region.code.count <= PhoneNumber.maximumDigits, "\(name)")
    }
    #expect(Numbering.fault(inRegion: "gb")?.hint == "write GB")
    #expect(Numbering.fault(inRegion: "UK")?.hint == "write GB")
  }
}
