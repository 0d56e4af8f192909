import Testing

@testable import App

/// Pins how a command line is read and what a wrong one is told.
@Suite struct ArgumentsTests {
    @Test func optionsFlagsAndOperandsAreRead() throws {
        let arguments = try Arguments(["visits", "--dry-run", "--config=x.yaml"], of: PollCommand())
        #expect(
            arguments.operands == ["visits"] && arguments.has("dry-run")
                && arguments.text("config") == "x.yaml")
    }

    @Test func repeatableOptionsAreCollected() throws {
        let arguments = try Arguments(["--type", "a", "--type=b"], of: EventsCommand())
        #expect(arguments.texts("type") == ["a", "b"])
    }

    @Test(arguments: [
        (["--dry-rum", "x"], "did you mean --dry-run?"), (["--config"], "--config needs FILE"),
        ([], "needs SOURCE"),
        (["a", "b"], "unexpected argument b"), (["a", "--dry-run=1"], "takes no value"),
        (["a", "--config", "x", "--config", "y"], "given twice"), (["a", "-x"], "unknown option -x"),
    ])
    func wrongWordsAreNamed(words: [String], message: String) {
        let error = #expect(throws: CommandError.self) { _ = try Arguments(words, of: PollCommand()) }
        #expect(error?.exitCode == 2 && error?.message.contains(message) == true)
    }

    @Test(arguments: ["-1", "x", "1.5", "99999999999999999999"]) func numbersOutsideTheirRangeAreNamed(
        text: String
    ) throws {
        let arguments = try Arguments(["--limit", text], of: EventsCommand())
        let error = #expect(throws: CommandError.self) { _ = try arguments.integer("limit", in: 0...10) }
        #expect(error?.message.contains("--limit \(text)") == true)
    }

    @Test func everyCommandHasAPageWithAnExample() {
        for command in App.commands {
            let page = HelpCommand.page(of: command)
            #expect(page.contains("Usage: millrace \(command.name)") && !command.examples.isEmpty)
        }
    }
}
