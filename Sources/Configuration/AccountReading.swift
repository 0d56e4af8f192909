import EventModel

extension Section {
    private static let tanmaKeys = ["app_id", "app_key", "send_app_key_header"]
    private static let weibanKeys = ["corp_id", "secret"]

    /// Reads one of `accounts`.
    mutating func account() -> Settings.Account {
        var account = Settings.Account()
        require("name", .name, into: &account.name)
        require("vendor", .oneOf(Vendor.allCases), into: &account.vendor)
        let isVendorKnown = !reading.hasProblem(at: child("vendor"))
        account.baseURL = account.vendor.baseURL
        take("base_url", .baseURL, into: &account.baseURL)
        account.requestsPerSecond = account.vendor.requestsPerSecond
        let limit = isVendorKnown ? account.vendor.mostRequestsPerSecond : 1000
        take("requests_per_second", .number(from: 0.001, upTo: limit), into: &account.requestsPerSecond)
        take("timeout", .duration, into: &account.timeout)
        takeFile("ca_file", into: &account.caFile)
        take("proxy", .proxy, into: &account.proxy)
        readCredentials(into: &account, isVendorKnown: isVendorKnown)
        return account
    }

    private mutating func readCredentials(into account: inout Settings.Account, isVendorKnown: Bool) {
        guard isVendorKnown else {
            // Known to some vendor: saying more would be guessing which one is meant.
            for key in Self.tanmaKeys + Self.weibanKeys { _ = isGiven(key) }
            return
        }
        switch account.vendor {
        case .tanma:
            require("app_id", .text("the appId the vendor gave"), into: &account.appID)
            require("app_key", .secret("the appKey the vendor gave"), into: &account.appKey)
            take("send_app_key_header", .flag, into: &account.sendAppKeyHeader)
            forbid(Self.weibanKeys, "belongs to vendor weiban", "a tanma account has app_id and app_key")
        case .weiban:
            require("corp_id", .text("the corp_id the vendor gave"), into: &account.corpID)
            require("secret", .secret("the secret the vendor gave"), into: &account.secret)
            forbid(Self.tanmaKeys, "belongs to vendor tanma", "a weiban account has corp_id and secret")
        }
    }
}

extension Vendor {
    fileprivate var baseURL: String {
        switch self {
        case .tanma: "https://account.tanmarket.cn/apiServer"
        case .weiban: "https://open.weibanzhushou.com"
        }
    }

    /// Tanma publishes no limit, so we stay slow; Weiban answers 600 a minute, of which two a second leave most to others.
    fileprivate var requestsPerSecond: Double {
        switch self {
        case .tanma: 1
        case .weiban: 2
        }
    }

    /// Weiban refuses everybody of a corporation for a while above its documented limits.
    fileprivate var mostRequestsPerSecond: Double {
        switch self {
        case .tanma: 1000
        case .weiban: 5
        }
    }
}
