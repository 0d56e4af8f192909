import Configuration
import EventModel
import Ingesting
import OutboundHTTP
import Ports
import Services
import TanmaSource

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
        let client = TanmaClient(tanma(account), http: http, gate: gate, timekeeper: timekeeper)
        switch source.kind {
        case .visits:
            return Connector(
                source: TanmaVisits(
                    client, sourceName: source.name, pageSize: source.pageSize, logger: logger),
                normalizer: TanmaVisitNormalizer(privacy: privacy))
        case .relations:
            return Connector(
                source: TanmaRelations(client, pageSize: source.pageSize),
                normalizer: TanmaRelationNormalizer(privacy: privacy))
        case .followRecords, .customerFiles, .outflow:
            return nil
        }
    }

    private func tanma(_ account: Settings.Account) -> TanmaAccount {
        TanmaAccount(
            name: account.name, baseURL: account.baseURL, appID: account.appID, appKey: account.appKey,
            sendAppKeyHeader: account.sendAppKeyHeader, timeout: account.timeout, caFile: account.caFile,
            proxy: account.proxy)
    }
}
