import InboundHTTP
import Testing

@Suite struct MessageTests {
    @Test(arguments: [
        ("/a/b", "/a/b", ""), ("/a?b=c", "/a", "b=c"), ("/%zz%4", "/%zz%4", ""), ("/%2Fx", "//x", ""),
        ("http://host:1/a?b", "/a", "b="), ("http://host", "/", ""), ("/a?&x==&=y", "/a", "x==;=y"),
        ("/a?q=1&q=2", "/a", "q=1;q=2"), ("/a+b?c+d=e+f", "/a+b", "c d=e f"),
    ])
    func aTargetIsTakenApart(target: String, path: String, query: String) {
        let request = InboundRequest(method: "GET", target: target)
        #expect(request.path == path)
        #expect(request.query.map { "\($0.name)=\($0.value)" }.joined(separator: ";") == query)
        #expect(request.rawTarget == target)
    }

    @Test func aZeroByteDoesNotCutAPath() {
        #expect(InboundRequest(method: "GET", target: "/a%00b").path == "/a\0b")
    }

    @Test func theFirstOfEqualNamesIsFound() {
        #expect(InboundRequest(method: "GET", target: "/?q=1&q=2").query("q") == "1")
        #expect(InboundRequest(method: "GET", target: "/?q=1&q=2").query("r") == nil)
    }

    @Test func headersAreFoundInAnyCaseAndKeepTheirOrder() {
        var headers: HTTPHeaders = ["Content-Type": "a", "x-one": "1"]
        headers.append("X-One", "2")
        #expect(headers["content-TYPE"] == "a")
        #expect(headers.values("X-ONE") == ["1", "2"])
        #expect(headers["content"] == nil)
        #expect(headers.fields.map(\.name) == ["Content-Type", "x-one", "X-One"])
    }
}
