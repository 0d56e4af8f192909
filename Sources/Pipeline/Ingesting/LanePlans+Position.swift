import EventModel
import Foundation
import Persisting

extension LanePlans {
    /// Where the source stands, as it is stored.
    var position: SourcePosition {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        do {
            return SourcePosition(
                state: String(decoding: try encoder.encode(state), as: UTF8.self), watermark: watermark)
        } catch {
            preconditionFailure("a state of integers can always be encoded")
        }
    }
}

extension LanePlans.State {
    /// Nil for what this version cannot read. A state without lanes is that of a source with one, as stored before there
    /// were lanes.
    init?(_ position: SourcePosition) {
        let json = Data(position.state.utf8)
        do {
            self = try JSONDecoder().decode(Self.self, from: json)
        } catch {
            do {
                lanes = ["": try JSONDecoder().decode(WindowPlan.State.self, from: json)]
            } catch {
                return nil
            }
        }
    }
}
