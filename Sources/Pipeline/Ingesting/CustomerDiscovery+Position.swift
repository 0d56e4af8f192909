import Foundation
import Persisting

extension CustomerDiscovery {
    /// How far the pass has come, as it is stored with the source.
    var position: SourcePosition {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        do {
            return SourcePosition(
                state: String(decoding: try encoder.encode(state), as: UTF8.self), watermark: nil)
        } catch {
            preconditionFailure("a state of integers can always be encoded")
        }
    }
}

extension CustomerDiscovery.State {
    /// Nil for what this version cannot read.
    init?(_ position: SourcePosition) {
        do {
            self = try JSONDecoder().decode(Self.self, from: Data(position.state.utf8))
        } catch {
            return nil
        }
    }
}
