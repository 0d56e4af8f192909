import Ports
import Testing

/// Pins what becomes of each class of personal data (contract, sections 2 and 3).
@Suite struct PrivacyTests {
    private static func privacy(_ rule: Privacy.Rule) -> Privacy {
        Privacy([.mobile: rule], hash: { "hash of \($0.count)" })
    }

    @Test(arguments: [
        ("16637238093", "166****8093"), ("12345678", "123*5678"), ("1234567", "*******"), ("a", "*"),
        ("", ""),
        ("客户客户客户客户客户", "客户客***客户客户"),
    ])
    func maskKeepsThreeAndFourOfWhatIsLongerThanSeven(text: String, masked: String) {
        #expect(Self.privacy(.mask).apply(text, as: .mobile) == masked)
    }

    @Test func everyRuleDoesItsOwn() {
        #expect(Self.privacy(.keep).apply("123", as: .mobile) == "123")
        #expect(Self.privacy(.hash).apply("123", as: .mobile) == "hash of 3")
        #expect(Self.privacy(.drop).apply("123", as: .mobile) == nil)
        #expect(Self.privacy(.drop).apply(nil, as: .mobile) == nil)
    }

    @Test func otherClassesAreLeftAlone() {
        #expect(Self.privacy(.drop).apply("name", as: .name) == "name")
    }

    @Test func listsAreTreatedTextByText() {
        #expect(Self.privacy(.mask).apply(["1", "12345678"], as: .mobile) == ["*", "123*5678"])
        #expect(Self.privacy(.drop).apply(["1"], as: .mobile) == nil)
        #expect(Self.privacy(.keep).apply([], as: .mobile) == [])
    }

    @Test func onlyKeepKeepsEverything() {
        #expect(Privacy.keepEverything.keepsEverything && Self.privacy(.keep).keepsEverything)
        for rule in [Privacy.Rule.mask, .hash, .drop] { #expect(!Self.privacy(rule).keepsEverything) }
    }
}
