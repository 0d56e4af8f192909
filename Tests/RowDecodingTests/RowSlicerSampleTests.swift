import Foundation
import RowDecoding
import TestSupport
import Testing

/// The vendor's own page, whole, cut and scrambled.
@Suite struct RowSlicerSampleTests {
    private static let path = ["data", "list"]

    private static func sample() throws -> [UInt8] {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../Fixtures/tanma-visits.response.json")
        return [UInt8](try Data(contentsOf: file))
    }

    private static func read(_ bytes: [UInt8]) throws -> NSDictionary {
        try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? NSDictionary)
    }

    @Test func theSamplesRowsAreTheElementsOfItsList() throws {
        let sample = try Self.sample()
        let slices = try #require(RowSlicer.slice(sample, path: Self.path))
        let data = try #require(try Self.read(sample)["data"] as? NSDictionary)
        let list = try #require(data["list"] as? [NSDictionary])
        #expect(slices.rows.count == 5)
        #expect(try slices.rows.map(Self.read) == list)
    }

    @Test func theSamplesEnvelopeIsTheSampleWithoutRows() throws {
        let sample = try Self.sample()
        let slices = try #require(RowSlicer.slice(sample, path: Self.path))
        let whole = try Self.read(sample)
        let envelope = try Self.read(slices.envelope)
        #expect(
            Set(envelope.allKeys.compactMap { $0 as? String })
                == Set(whole.allKeys.compactMap { $0 as? String }))
        let data = try #require((whole["data"] as? NSDictionary)?.mutableCopy() as? NSMutableDictionary)
        data["list"] = [Any]()
        #expect(envelope["data"] as? NSDictionary == data)
    }

    @Test func aPageCutAtAnyByteIsRefused() throws {
        let sample = try Self.sample()
        let end = try #require(sample.lastIndex(of: UInt8(ascii: "}")))
        for count in 0...end {
            try #require(RowSlicer.slice(Array(sample[..<count]), path: Self.path) == nil, "cut at \(count)")
        }
    }

    @Test func aFlippedByteNeverTrapsAndLeavesTheRowsWithinThePage() throws {
        let sample = try Self.sample()
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        for _ in 0..<2000 {
            var page = sample
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                page[Int.random(in: 0..<page.count, using: &random)] = UInt8.random(
                    in: 0...255, using: &random)
            }
            guard let slices = RowSlicer.slice(page, path: Self.path) else { continue }
            let length = slices.rows.map(\.count).reduce(0, +)
            try #require(length + slices.envelope.count <= page.count, "seed \(seed)")
        }
    }

    @Test func randomBytesNeverTrap() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        let pieces = [
            "{", "}", "[", "]", "\"", "\\", ",", ":", " ", "data", "list", "\"data\":", "\"list\":[", "1",
            "null",
            "{\"data\":{\"list\":[", "\u{0}", "杨",
        ].map { Array($0.utf8) }
        for round in 0..<5000 {
            var page: [UInt8] = []
            for _ in 0..<Int.random(in: 0...60, using: &random) {
                if round.isMultiple(of: 3) {
                    page.append(UInt8.random(in: 0...255, using: &random))
                } else {
                    page += pieces.randomElement(using: &random) ?? []
                }
            }
            guard let slices = RowSlicer.slice(page, path: Self.path) else { continue }
            try #require(slices.envelope.count <= page.count, "seed \(seed)")
        }
    }
}
