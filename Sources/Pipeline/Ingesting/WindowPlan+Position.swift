import EventModel
import Foundation
import Persisting

extension WindowPlan.State {
    /// The state as it is stored with its source.
    var position: SourcePosition {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        do {
            let text = String(decoding: try encoder.encode(self), as: UTF8.self)
            return SourcePosition(state: text, watermark: Timestamp(milliseconds: watermark))
        } catch {
            preconditionFailure("a state of integers can always be encoded")
        }
    }

    /// Nil for what this version cannot read.
    init?(_ position: SourcePosition) {
        do {
            self = try JSONDecoder().decode(Self.self, from: Data(position.state.utf8))
        } catch {
            return nil
        }
    }
}
