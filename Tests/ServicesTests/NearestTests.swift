import Services
import Testing

@Suite struct NearestTests {
    @Test(arguments: [
        ("evry", "every"), ("EVERY", "every"), ("pagesize", "page_size"), ("relai", "relay"), ("lgo", nil),
        ("foo", nil), ("", nil), ("every", "every"), ("completely_else", nil),
    ])
    func theWordProbablyMeantIsFound(word: String, meant: String?) {
        #expect(Nearest.name(to: word, among: ["relay", "log", "every", "page_size"]) == meant)
    }

    @Test func nothingIsNearToNothing() {
        #expect(Nearest.name(to: "a", among: []) == nil)
    }
}
