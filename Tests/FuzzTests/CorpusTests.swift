import Foundation
import TestSupport
import Testing

/// Everything that fuzzing has found, and what it starts from, without libFuzzer; and the same cut and changed at random.
@Suite struct CorpusTests {
    private static let corpus = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Corpus")

    @Test(arguments: FuzzTarget.allCases) func foreignBytesNeverTrap(target: FuzzTarget) throws {
        let folder = Self.corpus.appendingPathComponent(target.rawValue)
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        #expect(!files.isEmpty)
        for file in files.sorted(by: { $0.path < $1.path }) {
            let bytes = [UInt8](try Data(contentsOf: file))
            target.run(bytes)
            var random = SeededGenerator(seed: UInt64(bytes.count))
            for _ in 0..<40 where !bytes.isEmpty {
                var changed = bytes
                for _ in 0..<Int.random(in: 1...4, using: &random) {
                    let place = Int.random(in: 0..<changed.count, using: &random)
                    changed[place] = UInt8.random(in: 0...255, using: &random)
                }
                target.run(Array(changed.prefix(Int.random(in: 0...changed.count, using: &random))))
            }
        }
    }
}
