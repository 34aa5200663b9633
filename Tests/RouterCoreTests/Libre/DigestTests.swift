import RouterCore
import Testing

@Suite struct DigestTests {
  @Test(arguments: [
    // RFC 1321 appendix A.5 and FIPS 180-2 appendix B.1
    (Digest.Algorithm.md5, "900150983cd24fb0d6963f7d28e17f72"),
    (.sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
    (.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
  ])
  func hashes(_ algorithm: Digest.Algorithm, _ expected: String) {
    #expect(Digest.hexadecimal(Digest.hash("abc".utf8, algorithm)) == expected)
  }

  /// RFC 4231 section 4.3.
  @Test func authenticates() {
    let digest = Digest.authenticate("what do ya want for nothing?".utf8, key: "Jefe".utf8)
    #expect(
      Digest.hexadecimal(digest) == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    #expect(Digest.authenticate([], key: []).count == 32)
  }

  @Test func comparesWhole() {
    #expect(Digest.isEqual([1, 2, 3], [1, 2, 3]))
    #expect(!Digest.isEqual([1, 2, 3], [1, 2, 4]))
    #expect(!Digest.isEqual([1, 2, 3], [1, 2]))
  }
}
