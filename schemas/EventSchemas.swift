/// The JSON Schemas of all event types, embedded in the binary so that it stays one file.
///
/// A schema describes the whole event, envelope and `data`. A released file is never edited: a new version is a new file.
package enum EventSchemas {
    /// Every type that has a schema, in the order sources and their revisions are listed.
    package static let types = all.map(\.type)

    /// The schema's JSON text; nil for a type that is not known.
    package static func schema(of type: String) -> [UInt8]? {
        all.first { $0.type == type }?.json
    }

    /// The description of the HTTP API, in YAML.
    package static let openAPI: [UInt8] = PackageResources.openapi_yaml

    private static let all: [(type: String, json: [UInt8])] = [
        ("visit.recorded", PackageResources.visit_recorded_v1_json),
        ("visit.updated", PackageResources.visit_updated_v1_json),
        ("relation.created", PackageResources.relation_created_v1_json),
        ("relation.updated", PackageResources.relation_updated_v1_json),
        ("follow_record.created", PackageResources.follow_record_created_v1_json),
        ("follow_record.updated", PackageResources.follow_record_updated_v1_json),
        ("follow_record.deleted", PackageResources.follow_record_deleted_v1_json),
        ("customer_file.created", PackageResources.customer_file_created_v1_json),
        ("customer_file.updated", PackageResources.customer_file_updated_v1_json),
        ("customer.outflowed", PackageResources.customer_outflowed_v1_json),
        ("customer.outflow_updated", PackageResources.customer_outflow_updated_v1_json),
        ("millrace.subscription.disabled", PackageResources.millrace_subscription_disabled_v1_json),
        ("millrace.subscription.enabled", PackageResources.millrace_subscription_enabled_v1_json),
        ("millrace.subscription.failing", PackageResources.millrace_subscription_failing_v1_json),
        ("millrace.log.expired", PackageResources.millrace_log_expired_v1_json),
        ("millrace.test", PackageResources.millrace_test_v1_json),
    ]
}
