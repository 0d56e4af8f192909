import Glibc
import InboundHTTP
import Testing

@testable import OutboundHTTP

/// Pins which addresses a guarded request refuses, and that it is the address connected to that is judged.
@Suite(.timeLimit(.minutes(1))) struct AddressGuardTests {
    static let refused = [
        "0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.255.254", "10.0.0.1", "10.255.255.255", "172.16.0.1",
        "172.31.255.255", "192.168.1.1", "169.254.0.1", "169.254.169.254", "100.64.0.1", "100.127.255.255",
        "100.100.100.200", "192.0.0.192", "168.63.129.16", "198.18.0.1", "192.0.2.1", "198.51.100.7",
        "203.0.113.9", "2001:db8::1", "192.88.99.1", "224.0.0.1",
        "239.255.255.255", "240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8",
        "::8.8.8.8", "64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1", "2002:7f00:1::",
        "2002:808:808::1",
        "2001::1", "fc00::1", "fd00:ec2::254", "fe80::1", "febf::1", "fec0::1", "ff02::1", "100::1",
    ]

    static let passing = [
        "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.1", "100.63.255.255", "100.128.0.1", "126.255.255.255",
        "128.0.0.1", "169.253.255.255", "169.255.0.1", "172.15.255.255", "172.32.0.1", "192.167.255.255",
        "192.169.0.1", "198.17.255.255", "198.20.0.1", "223.255.255.255", "2606:4700:4700::1111",
        "2001:4860:4860::8888", "2003::1", "2a00::1", "fbff::1",
    ]

    private func refusal(_ text: String) -> String? {
        var four = in_addr()
        if inet_pton(AF_INET, text, &four) == 1 {
            return AddressGuard.refusal(ofIPv4: withUnsafeBytes(of: &four) { Array($0) })
        }
        var six = in6_addr()
        guard inet_pton(AF_INET6, text, &six) == 1 else { return "not an address" }
        return AddressGuard.refusal(ofIPv6: withUnsafeBytes(of: &six) { Array($0) })
    }

    @Test(arguments: refused) func addressThatIsNotPublicIsRefused(text: String) {
        #expect(refusal(text) != nil)
    }

    @Test(arguments: passing) func publicAddressPasses(text: String) {
        #expect(refusal(text) == nil)
    }

    @Test(arguments: [
        "127.0.0.1", "localhost", "0177.0.0.1", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]",
        "0.0.0.0",
    ])
    func everySpellingOfLoopbackIsRefusedBeforeAByteIsSent(host: String) async throws {
        let loopback = try Loopback { _, _ in Issue.record("a request came") }
        var request = loopback.request()
        request.url = "http://\(host):\(loopback.port)/"
        request.allowsPrivateAddresses = false
        #expect(await loopback.failure(request) == .refusedAddress)
    }

    @Test func allowedLoopbackIsReached() async throws {
        let loopback = try Loopback { $1.answer(HTTPAnswer(status: 204)) }
        #expect(try await loopback.send(loopback.request()).status == 204)
    }
}
