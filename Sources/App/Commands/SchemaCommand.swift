import EventSchemas
import Services

/// `millrace schema`: the JSON Schema of an event type, or the list of types.
struct SchemaCommand: Command {
    let name = "schema"
    let summary = "the JSON Schema of an event type, or the list"
    let operands = [Operand(name: "TYPE", isRequired: false)]
    let examples = [
        Example("millrace schema", "the types there are"),
        Example("millrace schema visit.recorded > visit.recorded.json", "one schema, for a validator"),
    ]

    func run(_ arguments: Arguments) async throws(CommandError) -> Int32 {
        guard let type = arguments.operands.first else {
            for type in EventSchemas.types { Output.line(type) }
            return 0
        }
        guard let schema = EventSchemas.schema(of: type) else {
            let near = Nearest.name(to: type, among: EventSchemas.types).map { ", did you mean \($0)?" } ?? ""
            throw .usage("schema: no event type \(type)\(near)")
        }
        Output.bytes(schema)
        return 0
    }
}
