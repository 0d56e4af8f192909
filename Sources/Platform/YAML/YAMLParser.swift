import CYAML

/// What libyaml found next, copied out of its memory.
struct YAMLEvent {
    enum Kind {
        case documentStart
        case streamEnd
        case alias(String)
        case scalar(text: String, isQuoted: Bool)
        case sequenceStart
        case sequenceEnd
        case mappingStart
        case mappingEnd
        /// What a tree has no use for: the start of the stream, the end of a document.
        case other
    }

    let kind: Kind
    let anchor: String?
    let hasTag: Bool
    let line: Int
    let column: Int
}

/// Owns one libyaml parser and the bytes it reads; both are freed with it.
struct YAMLParser: ~Copyable {
    /// libyaml keeps pointers to the parser and to the input, so both need an address that never changes.
    private let handle: UnsafeMutablePointer<yaml_parser_t>
    private let input: UnsafeMutableBufferPointer<UInt8>

    init(_ text: String) throws(YAMLError) {
        handle = .allocate(capacity: 1)
        // A failed initialisation leaves nothing behind in the parser to be freed by us.
        guard yaml_parser_initialize(handle) == 1 else {
            handle.deallocate()
            throw YAMLError(kind: .memory, line: 1, column: 1, cause: "out of memory")
        }
        let bytes = Array(text.utf8)
        input = .allocate(capacity: bytes.count)
        _ = input.initialize(from: bytes)
        yaml_parser_set_input_string(handle, input.baseAddress, bytes.count)
        yaml_parser_set_encoding(handle, YAML_UTF8_ENCODING)
    }

    deinit {
        yaml_parser_delete(handle)
        handle.deallocate()
        input.deallocate()
    }

    /// The next event; after an error or the end of the stream it must not be called again.
    borrowing func next() throws(YAMLError) -> YAMLEvent {
        var event = yaml_event_t()
        guard yaml_parser_parse(handle, &event) == 1 else { throw error() }
        defer { yaml_event_delete(&event) }
        return Self.copy(event)
    }

    private static func copy(_ event: yaml_event_t) -> YAMLEvent {
        var anchor: String?
        var hasTag = false
        let kind: YAMLEvent.Kind
        switch event.type {
        case YAML_DOCUMENT_START_EVENT: kind = .documentStart
        case YAML_STREAM_END_EVENT: kind = .streamEnd
        case YAML_ALIAS_EVENT: kind = .alias(text(event.data.alias.anchor) ?? "")
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            let bytes = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            kind = .scalar(
                text: String(decoding: bytes, as: UTF8.self),
                isQuoted: scalar.style != YAML_PLAIN_SCALAR_STYLE)
            (anchor, hasTag) = (text(scalar.anchor), scalar.tag != nil)
        case YAML_SEQUENCE_START_EVENT:
            kind = .sequenceStart
            (anchor, hasTag) = (text(event.data.sequence_start.anchor), event.data.sequence_start.tag != nil)
        case YAML_SEQUENCE_END_EVENT: kind = .sequenceEnd
        case YAML_MAPPING_START_EVENT:
            kind = .mappingStart
            (anchor, hasTag) = (text(event.data.mapping_start.anchor), event.data.mapping_start.tag != nil)
        case YAML_MAPPING_END_EVENT: kind = .mappingEnd
        default: kind = .other
        }
        return YAMLEvent(
            kind: kind, anchor: anchor, hasTag: hasTag,
            line: Int(event.start_mark.line) + 1, column: Int(event.start_mark.column) + 1)
    }

    private static func text(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        pointer.map { String(cString: $0) }
    }

    /// Reads the parser's own words at once; they are constants of libyaml and never quote the document.
    private borrowing func error() -> YAMLError {
        if handle.pointee.error == YAML_MEMORY_ERROR {
            return YAMLError(kind: .memory, line: 1, column: 1, cause: "out of memory")
        }
        let cause = [handle.pointee.context, handle.pointee.problem]
            .compactMap { $0.map { String(cString: $0) } }.joined(separator: ": ")
        // A reader error has no mark, only the number of the byte.
        if handle.pointee.error == YAML_READER_ERROR {
            let before = input.prefix(handle.pointee.problem_offset)
            let start = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
            return YAMLError(
                kind: .syntax, line: before.count { $0 == UInt8(ascii: "\n") } + 1,
                column: before.count - start + 1, cause: cause)
        }
        let mark = handle.pointee.problem_mark
        // At the end of a text without a last newline libyaml counts one.
        let lines = input.count { $0 == UInt8(ascii: "\n") } + 1
        return YAMLError(
            kind: .syntax, line: min(Int(mark.line) + 1, lines), column: Int(mark.column) + 1, cause: cause)
    }
}
