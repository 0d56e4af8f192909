import Testing

@testable import Publishing

/// Pins how one refused event is found among many: by halves, and given up only when it is refused twice alone.
@Suite struct BatchLimitTests {
    /// Sends `count` events of which some are refused for good; what was given up, and how many batches it took.
    private func publish(_ count: Int, refused: Set<Int>, most: Int = 1000) -> (
        givenUp: Set<Int>, batches: Int
    ) {
        var limit = BatchLimit(most: most)
        var (position, batches, givenUp) = (0, 0, Set<Int>())
        while position < count {
            batches += 1
            let batch = position..<min(count, position + limit.current)
            guard batch.contains(where: refused.contains) else {
                limit.accepted()
                position = batch.upperBound
                continue
            }
            if limit.refused(batchOf: batch.count) == .giveUp {
                givenUp.insert(position)
                position += 1
            }
        }
        return (givenUp, batches)
    }

    @Test(arguments: [[0], [999], [500, 501], [1, 2, 3, 700], []])
    func exactlyTheRefusedAreGivenUp(refused: [Int]) {
        let result = publish(2000, refused: Set(refused))
        #expect(result.givenUp == Set(refused))
        #expect(result.batches <= 3 + refused.count * 30)
    }

    @Test func oneRefusalAloneIsNotEnough() {
        var limit = BatchLimit(most: 100)
        #expect(limit.refused(batchOf: 1) == .again)
        limit.accepted()
        #expect(limit.refused(batchOf: 1) == .again)
        #expect(limit.refused(batchOf: 1) == .giveUp)
    }

    @Test func batchesGrowAgainAfterSuccess() {
        var limit = BatchLimit(most: 100)
        #expect(limit.refused(batchOf: 100) == .again)
        #expect(limit.current == 50)
        #expect(!limit.isOpen)
        limit.accepted()
        #expect(limit.isOpen)
    }
}
