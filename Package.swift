// swift-tools-version: 6.2
// The map of Millrace: every room, in the order of the flow, with what it may import.
// `.ci/layers` holds this file against the layering table in README.md.
import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

func clibrary(_ name: String, apt: String) -> Target {
    .systemLibrary(name: name, path: "Sources/CLibraries/\(name)", providers: [.apt([apt])])
}

func room(_ path: String, needs: [String] = [], resources: [Resource] = []) -> Target {
    let name = String(path.split(separator: "/").last ?? "")
    return .target(
        name: name, dependencies: needs.map { .init(stringLiteral: $0) }, path: "Sources/\(path)",
        resources: resources, swiftSettings: strict)
}

func tests(
    _ name: String, needs: [String], exclude: [String] = [], resources: [Resource] = []
) -> Target {
    .testTarget(
        name: name, dependencies: needs.map { .init(stringLiteral: $0) }, path: "Tests/\(name)",
        exclude: exclude, resources: resources, swiftSettings: strict)
}

let clibraries: [Target] = [
    clibrary("CSQLite", apt: "libsqlite3-dev"),
    clibrary("CCurl", apt: "libcurl4-openssl-dev"),
    clibrary("CMicroHTTPD", apt: "libmicrohttpd-dev"),
    clibrary("CRdKafka", apt: "librdkafka-dev"),
    clibrary("COpenSSL", apt: "libssl-dev"),
    clibrary("CYAML", apt: "libyaml-dev"),
    clibrary("CZlib", apt: "zlib1g-dev"),
]

let base: [Target] = [
    room("Base/EventModel"),
    room("Base/Services"),
    room("Base/Ports", needs: ["EventModel"]),
    room("Base/RowDecoding", needs: ["EventModel", "Ports"]),
]

let platform: [Target] = [
    room("Platform/SQLite", needs: ["CSQLite", "Services"]),
    room("Platform/Signing", needs: ["COpenSSL"]),
    room("Platform/OutboundHTTP", needs: ["CCurl", "Services"]),
    room("Platform/InboundHTTP", needs: ["CMicroHTTPD", "Services"]),
    room("Platform/Kafka", needs: ["CRdKafka", "Services"]),
    room("Platform/YAML", needs: ["CYAML"]),
    room("Platform/Compression", needs: ["CZlib"]),
]

// Signing is the one platform room the pipeline may use besides SQLite: ids and fingerprints are hashes.
let pipeline: [Target] = [
    room(
        "Pipeline/Ingesting",
        needs: ["EventModel", "Ports", "RowDecoding", "Services", "Normalizing", "Persisting"]),
    room("Pipeline/Normalizing", needs: ["EventModel", "Ports", "RowDecoding", "Signing"]),
    room("Pipeline/Persisting", needs: ["EventModel", "Ports", "Services", "SQLite", "Signing"]),
    room("Pipeline/Publishing", needs: ["EventModel", "Ports", "Services", "Persisting", "Signing"]),
    room("Pipeline/Replaying", needs: ["EventModel", "Ports", "Services", "Persisting", "Publishing"]),
]

let connectors: [Target] = [
    room(
        "Connectors/TanmaSource",
        needs: ["EventModel", "Ports", "RowDecoding", "Services", "OutboundHTTP", "Signing"]),
    room(
        "Connectors/WeibanSource",
        needs: ["EventModel", "Ports", "RowDecoding", "Services", "OutboundHTTP", "Signing"]),
    room("Connectors/KafkaSink", needs: ["EventModel", "Ports", "Services", "Kafka"]),
    room(
        "Connectors/WebhookSink",
        needs: ["EventModel", "Ports", "Services", "OutboundHTTP", "Signing", "Compression"]),
]

let schemas: Target = .target(
    name: "EventSchemas", path: "schemas", exclude: ["configuration.schema.json"],
    sources: ["EventSchemas.swift"],
    resources: [
        .embedInCode("visit.recorded.v1.json"),
        .embedInCode("visit.updated.v1.json"),
        .embedInCode("relation.created.v1.json"),
        .embedInCode("relation.updated.v1.json"),
        .embedInCode("follow_record.created.v1.json"),
        .embedInCode("follow_record.updated.v1.json"),
        .embedInCode("follow_record.deleted.v1.json"),
        .embedInCode("customer_file.created.v1.json"),
        .embedInCode("customer_file.updated.v1.json"),
        .embedInCode("customer.outflowed.v1.json"),
        .embedInCode("customer.outflow_updated.v1.json"),
        .embedInCode("millrace.subscription.disabled.v1.json"),
        .embedInCode("millrace.subscription.enabled.v1.json"),
        .embedInCode("millrace.subscription.failing.v1.json"),
        .embedInCode("millrace.log.expired.v1.json"),
        .embedInCode("millrace.test.v1.json"),
        .embedInCode("openapi.yaml"),
    ],
    swiftSettings: strict)

let product: [Target] = [
    schemas,
    room("Configuration", needs: ["EventModel", "Services", "YAML"]),
    room(
        "Serving",
        needs: [
            "EventModel", "Ports", "RowDecoding", "Services", "InboundHTTP", "Signing", "Persisting",
            "Publishing",
            "Replaying",
        ]),
    room(
        "VendorSimulator", needs: ["EventModel", "Services", "InboundHTTP", "Signing"],
        resources: [.embedInCode("Samples/tanma-visits.response.json")]),
    room(
        "App",
        needs: [
            "EventModel", "Ports", "RowDecoding", "Services", "OutboundHTTP", "InboundHTTP", "Kafka",
            "Signing",
            "Ingesting", "Normalizing", "Persisting", "Publishing", "Replaying",
            "TanmaSource", "WeibanSource", "KafkaSink", "WebhookSink",
            "EventSchemas", "Configuration", "Serving", "VendorSimulator", "YAML",
        ]),
    .executableTarget(
        name: "millrace", dependencies: ["App"], path: "Sources/millrace", swiftSettings: strict),
    .executableTarget(
        name: "kafka-consumer", dependencies: ["Kafka", "Services"], path: "examples/kafka-consumer-swift",
        swiftSettings: strict),
]

// A disk that breaks by plan, a relay's life to break on it, and the process that dies of it.
let crashRooms: [Target] = [
    .target(name: "FaultyDisk", dependencies: ["CSQLite"], path: "Tests/FaultyDisk"),
    .target(
        name: "CrashWorkload",
        dependencies: ["FaultyDisk", "Persisting", "EventModel", "Ports", "TestSupport"],
        path: "Tests/CrashWorkload", swiftSettings: strict),
    .executableTarget(
        name: "crash-child", dependencies: ["CrashWorkload", "FaultyDisk"], path: "Tests/CrashChild",
        swiftSettings: strict),
    tests(
        "CrashTests",
        needs: ["CrashWorkload", "FaultyDisk", "crash-child", "CSQLite", "Persisting", "TestSupport"]),
    tests(
        "SimulationTests",
        needs: [
            "CrashWorkload", "FaultyDisk", "EventModel", "Ports", "Services", "Ingesting", "Normalizing",
            "Persisting", "Publishing", "Replaying", "TestSupport",
        ]),
]

// What the relay does in a second, beside what the machine allows. Only in release does it say anything.
let benchRooms: [Target] = [
    .target(name: "BenchEnds", dependencies: ["CCurl"], path: "Tests/BenchEnds"),
    .executableTarget(
        name: "bench",
        dependencies: [
            "BenchEnds", "CSQLite", "EventModel", "OutboundHTTP", "Persisting", "Ports", "Publishing",
            "Replaying", "Services", "Signing", "WebhookSink",
        ], path: "Tests/Bench", swiftSettings: strict),
]

// What reads foreign bytes: its corpus among the tests, or, for `make fuzz`, with libFuzzer around it.
let isFuzzing = Context.environment["MILLRACE_FUZZ"] != nil
let fuzzNeeds = [
    "EventModel", "Ports", "RowDecoding", "Services", "Signing", "YAML", "Configuration", "InboundHTTP",
    "Ingesting", "KafkaSink",
    "Normalizing", "OutboundHTTP", "Persisting", "Publishing", "Serving", "TanmaSource", "WebhookSink",
    "WeibanSource",
]
let fuzzRooms: [Target] =
    isFuzzing
    ? [
        .executableTarget(
            name: "fuzz", dependencies: fuzzNeeds.map { .init(stringLiteral: $0) }, path: "Tests/FuzzTests",
            exclude: ["CorpusTests.swift", "Corpus"], swiftSettings: strict + [.define("FUZZING")])
    ] : [tests("FuzzTests", needs: fuzzNeeds + ["TestSupport"], exclude: ["Corpus"])]

let testRooms: [Target] = [
    .target(
        name: "TestSupport", dependencies: ["EventModel", "Ports"], path: "Tests/TestSupport",
        swiftSettings: strict),
    tests("EventModelTests", needs: ["EventModel", "TestSupport"]),
    tests("ServicesTests", needs: ["Services"]),
    tests("PortsTests", needs: ["Ports"]),
    tests("RowDecodingTests", needs: ["RowDecoding", "Ports", "TestSupport"]),
    tests("SigningTests", needs: ["Signing"]),
    tests("SQLiteTests", needs: ["SQLite", "TestSupport"]),
    tests("OutboundHTTPTests", needs: ["OutboundHTTP", "InboundHTTP"]),
    tests("YAMLTests", needs: ["YAML"]),
    tests("ConfigurationTests", needs: ["Configuration", "EventModel", "Services"]),
    tests("InboundHTTPTests", needs: ["InboundHTTP", "TestSupport"]),
    tests(
        "PersistingTests", needs: ["Persisting", "EventModel", "Ports", "Services", "SQLite", "TestSupport"]),
    tests(
        "PublishingTests",
        needs: ["Publishing", "Persisting", "EventModel", "Ports", "Services", "TestSupport"]),
    tests(
        "ReplayingTests",
        needs: ["Replaying", "Publishing", "Persisting", "EventModel", "Ports", "Services", "TestSupport"]),
    tests("KafkaTests", needs: ["Kafka", "Services"]),
    tests(
        "KafkaSinkTests",
        needs: [
            "CRdKafka", "KafkaSink", "Kafka", "EventModel", "Ports", "Services", "Signing", "Persisting",
            "Publishing", "TestSupport",
        ]),
    tests(
        "WebhookSinkTests",
        needs: [
            "WebhookSink", "OutboundHTTP", "InboundHTTP", "EventModel", "Ports", "Signing", "Persisting",
            "TestSupport",
        ]),
    tests(
        "AppTests",
        needs: [
            "App", "EventModel", "Persisting", "Ports", "Publishing", "Replaying", "Serving", "Services",
            "TestSupport",
        ]),
    tests(
        "TanmaSourceTests",
        needs: [
            "TanmaSource", "EventModel", "Ports", "Services", "Signing", "OutboundHTTP", "InboundHTTP",
            "VendorSimulator", "TestSupport",
        ]),
    tests(
        "WeibanSourceTests",
        needs: [
            "WeibanSource", "EventModel", "Ports", "Services", "OutboundHTTP", "VendorSimulator",
            "TestSupport",
        ]),
    tests(
        "NormalizingTests",
        needs: [
            "Normalizing", "TanmaSource", "WeibanSource", "RowDecoding", "EventModel", "Ports", "Persisting",
            "TestSupport",
        ]),
    tests(
        "IngestingTests",
        needs: [
            "Ingesting", "Normalizing", "Persisting", "EventModel", "Ports", "RowDecoding", "Services",
            "SQLite",
            "TestSupport",
        ]),
    tests(
        "ServingTests",
        needs: [
            "Serving", "Persisting", "Publishing", "Replaying", "EventModel", "Ports", "Services",
            "InboundHTTP",
            "SQLite", "Signing", "TestSupport",
        ]),
    tests("VendorSimulatorTests", needs: ["VendorSimulator", "EventModel", "Signing"]),
    tests(
        "EndToEndTests",
        needs: [
            "EventModel", "Services", "InboundHTTP", "OutboundHTTP", "Kafka", "RowDecoding", "Signing",
            "VendorSimulator",
            "TestSupport",
        ],
        exclude: ["Independent"]),
]

let package = Package(
    name: "millrace",
    products: [.executable(name: "millrace", targets: ["millrace"])],
    targets: clibraries + base + platform + pipeline + connectors + product + crashRooms + benchRooms
        + fuzzRooms
        + testRooms,
    swiftLanguageModes: [.v6]
)
