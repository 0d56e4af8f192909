import EventModel
import Foundation
import InboundHTTP
import OutboundHTTP
import Ports
import Services
import TestSupport
import Testing

@testable import TanmaSource

/// Real: HTTP over loopback in both directions. Scripted: what the vendor answers.
@Suite(.timeLimit(.minutes(1)))
struct TanmaClientTests {
    private static let empty = #"{"code":0,"data":{"list":[],"nextCursor":null}}"#
    private static let skewed = #"{"code":1003,"message":"","data":null}"#

    private func failure(_ client: TanmaClient) async -> SourceError? {
        do throws(SourceError) {
            _ = try await client.post("/x", body: Array("{}".utf8), doing: "ask")
            return nil
        } catch {
            return error
        }
    }

    @Test func theExactBytesAreSignedAndSent() async throws {
        let vendor = try ScriptedVendor(Self.empty)
        defer { vendor.stop() }
        let body = Array(#"{"since":"2021-08-06 14:00:00","nickname":"é🐶"}"#.utf8)
        _ = try await vendor.client().post("/api/v3/x", body: body, doing: "ask")
        let request = try #require(vendor.asked.first)
        #expect(vendor.asked.count == 1)
        #expect(request.method == "POST" && request.path == "/apiServer/api/v3/x" && request.body == body)
        let timestamp = try #require(request.headers["timestamp"])
        #expect(timestamp == String(vendor.clock.now.milliseconds) && timestamp.utf8.count == 13)
        let sign = TanmaClient.sign(
            appID: "ww0123456789abcdef_Demo01", timestamp: timestamp, body: body, appKey: Secret("demoAppKey")
        )
        #expect(request.headers["sign"] == sign)
        #expect(request.headers["appId"] == "ww0123456789abcdef_Demo01")
        #expect(request.headers["Content-Type"] == "application/json")
    }

    @Test(arguments: [true, false])
    func theKeyIsAHeaderOnlyOnRequest(sends: Bool) async throws {
        let vendor = try ScriptedVendor(Self.empty)
        defer { vendor.stop() }
        _ = try await vendor.client(sendAppKeyHeader: sends).post("/x", body: [], doing: "ask")
        #expect(vendor.asked.first?.headers["appKey"] == (sends ? "demoAppKey" : nil))
    }

    @Test func aRefusedTimeIsAskedOnceMoreWithTheVendorsTime() async throws {
        let vendor = try ScriptedVendor(Self.skewed, Self.empty)
        defer { vendor.stop() }
        _ = try await vendor.client().post("/x", body: Array("{}".utf8), doing: "ask")
        let times = vendor.asked.compactMap { $0.headers["timestamp"].flatMap { Int64($0) } }
        #expect(times.count == 2)
        // The test's clock stands in another month; the server's `Date` is the machine's.
        let machine = Int64(Date().timeIntervalSince1970 * 1000)
        #expect(times.first == vendor.clock.now.milliseconds)
        #expect(abs((times.last ?? 0) - machine) < 120_000)
        #expect(vendor.asked.map { $0.headers["sign"] }.first != vendor.asked.map { $0.headers["sign"] }.last)
        #expect(vendor.gate.failures.isEmpty)
    }

    @Test func aTimeRefusedTwiceIsAMatterOfTheAccount() async throws {
        let vendor = try ScriptedVendor(Self.skewed)
        defer { vendor.stop() }
        #expect(await failure(vendor.client())?.kind == .credentials)
        #expect(vendor.asked.count == 2)
        #expect(vendor.gate.failures == [.credentials])
    }

    @Test func aRefusedSignatureIsNotTriedAgain() async throws {
        let vendor = try ScriptedVendor(#"{"code":1002,"data":null}"#)
        defer { vendor.stop() }
        let error = try #require(await failure(vendor.client()))
        #expect(error.kind == .credentials)
        #expect(!error.description.contains("demoAppKey"))
        #expect(vendor.asked.count == 1)
        #expect(vendor.gate.failures == [.credentials])
    }

    @Test func anotherCodeFailsInsideTheGate() async throws {
        let vendor = try ScriptedVendor(#"{"code":1000,"data":null}"#)
        defer { vendor.stop() }
        #expect(await failure(vendor.client())?.kind == .code(1000))
        #expect(vendor.gate.failures == [.code(1000)])
    }

    @Test func aVendorThatIsNotThereIsATransportFailure() async throws {
        let vendor = try ScriptedVendor(Self.empty)
        let client = vendor.client()
        vendor.stop()
        #expect(await failure(client)?.kind == .transport)
    }

    @Test func aCancelledRequestSaysSo() async throws {
        let vendor = try ScriptedVendor(Self.empty)
        defer { vendor.stop() }
        let client = vendor.client()
        let task = Task { () -> SourceError? in
            withUnsafeCurrentTask { $0?.cancel() }
            return await failure(client)
        }
        #expect(await task.value?.kind == .cancelled)
    }
}
