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
    var metrics = RelayMetrics()
    let logger: Logger

    /// What polls one kind of source, and what reads its rows.
    struct Connector {
        enum Reader {
            case windows(any WindowSource)
            /// With the relations that tell which customers there are.
            case customers(any CustomerSource, CustomerPoller.Relations)
        }

        let reader: Reader
        let normalizer: any Normalizer
    }

    func connector(
        for source: Settings.Source, of account: Settings.Account, gate: AccountGate
    ) -> Connector {
        switch source.kind {
        case .visits:
            let visits = TanmaVisits(
                tanmaClient(account, metered(gate, source)), sourceName: source.name,
                pageSize: source.pageSize, logger: logger
            )
            return Connector(reader: .windows(visits), normalizer: TanmaVisitNormalizer(privacy: privacy))
        case .relations:
            let relations = TanmaRelations(
                tanmaClient(account, metered(gate, source)), pageSize: source.pageSize)
            return Connector(
                reader: .windows(relations), normalizer: TanmaRelationNormalizer(privacy: privacy))
        case .followRecords:
            let records = TanmaFollowRecords(tanmaClient(account, metered(gate.forCustomers, source)))
            return Connector(
                reader: .customers(records, relations(account, gate, source)),
                normalizer: TanmaFollowRecordNormalizer(privacy: privacy))
        case .customerFiles:
            let files = TanmaCustomerFiles(
                tanmaClient(account, metered(gate.forCustomers, source)), pageSize: source.pageSize,
                staff: source.staffParameter == .salesID ? .salesId : .userId)
            return Connector(
                reader: .customers(files, relations(account, gate, source)),
                normalizer: TanmaCustomerFileNormalizer(privacy: privacy))
        case .outflow:
            let client = WeibanClient(
                weiban(account), http: http, gate: metered(gate, source), timekeeper: timekeeper,
                draw: Assembly.draw)
            return Connector(
                reader: .windows(WeibanOutflows(client, pageSize: source.pageSize)),
                normalizer: WeibanOutflowNormalizer(privacy: privacy))
        }
    }

    /// Discovery asks for as many relations a page as the vendor's pages are known to give.
    private func relations(
        _ account: Settings.Account, _ gate: AccountGate, _ source: Settings.Source
    ) -> CustomerPoller.Relations {
        CustomerPoller.Relations(
            source: TanmaRelations(tanmaClient(account, metered(gate.forCustomers, source)), pageSize: 100),
            normalizer: TanmaRelationNormalizer(privacy: .keepEverything))
    }

    private func metered(_ gate: any RequestGate, _ source: Settings.Source) -> MeteredGate {
        MeteredGate(gate: gate, source: source.name, metrics: metrics, timekeeper: timekeeper)
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
