import Services
import Testing

@Suite struct SecretTests {
    private struct Account {
        let name = "acme"
        let key = Secret("hush-hush")
        let spare: Secret? = Secret("hush-hush")
        let all = ["a": [Secret("hush-hush")]]
    }

    @Test func aSecretNeverPrints() {
        let secret = Secret("hush-hush")
        var dumped = ""
        dump(secret, to: &dumped)
        dump(Account(), to: &dumped)
        let texts = [
            secret.description, secret.debugDescription, "\(secret)", String(describing: secret),
            String(reflecting: secret), "\([secret])", "\(Account())", String(reflecting: Account()),
            String(describing: Optional(secret)), dumped,
        ]
        for text in texts {
            #expect(text.contains("•••"))
            #expect(!text.contains("hush"))
        }
    }

    @Test func aMirrorShowsNothing() {
        let mirror = Mirror(reflecting: Secret("hush-hush"))
        #expect(mirror.children.isEmpty)
        #expect(mirror.superclassMirror == nil)
        #expect(mirror.descendant("text") == nil)
    }

    @Test func onlyRevealGivesTheText() {
        #expect(Secret("hush-hush").reveal() == "hush-hush")
        #expect(Secret("a") == Secret("a"))
        #expect(Secret("a") != Secret("b"))
    }
}
