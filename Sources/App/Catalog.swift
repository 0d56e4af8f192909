import Configuration
import EventModel
import Ingesting
import OutboundHTTP
import Ports
import Services
import TanmaSource
import WeibanSource

/// Which connectors there are: the one place that knows them by name. To add a source: a case here.
struct Catalog {
    let http: HTTPClient
    let timekeeper: any Timekeeper
    let privacy: Privacy
    let logger: Logger

    /// What polls one kind of source, and what reads its rows.
    struct Connector {
        let source: any WindowSource
        let normalizer: any Normalizer
    }

    /// Nil for a kind that this version does not poll yet.
    func connector(
        for source: Settings.Source, of account: Settings.Account, gate: any RequestGate
    ) -> Connector? {
        switch source.kind {
        case .visits:
            return Connector(
                source: TanmaVisits(
                    tanmaClient(account, gate), sourceName: source.name, pageSize: source.pageSize,
                    logger: logger),
                normalizer: TanmaVisitNormalizer(privacy: privacy))
        case .relations:
            return Connector(
                source: TanmaRelations(tanmaClient(account, gate), pageSize: source.pageSize),
                normalizer: TanmaRelationNormalizer(privacy: privacy))
        case .outflow:
            let client = WeibanClient(weiban(account), http: http, gate: gate, timekeeper: timekeeper)
            return Connector(
                source: WeibanOutflows(client, pageSize: source.pageSize),
                normalizer: WeibanOutflowNormalizer(privacy: privacy))
        case .followRecords, .customerFiles:
            return nil
        }
    }

    private func tanmaClient(_ account: Settings.Account, _ gate: any RequestGate) -> TanmaClient {
        TanmaClient(tanma(account), http: http, gate: gate, timekeeper: timekeeper)
    }

    private func weiban(_ account: Settings.Account) -> WeibanAccount {
        WeibanAccount(
            name: account.name, baseURL: account.baseURL, corpID: account.corpID, secret: account.secret,
            timeout: account.timeout, caFile: account.caFile, proxy: account.proxy)
    }

    private func tanma(_ account: Settings.Account) -> TanmaAccount {
        TanmaAccount(
            name: account.name, baseURL: account.baseURL, appID: account.appID, appKey: account.appKey,
            sendAppKeyHeader: account.sendAppKeyHeader, timeout: account.timeout, caFile: account.caFile,
            proxy: account.proxy)
    }
}
