/// The events a relay stores about itself, beside those of its sources (contract, section 3).
package enum OperationalEvents {
    package static let entity = "operations"
    package static let types = [
        "millrace.subscription.disabled", "millrace.subscription.enabled", "millrace.subscription.failing",
        "millrace.log.expired",
    ]
}
