internal import AccessControl
internal import Brokering
internal import Logging
internal import Messages
internal import ServingModel
internal import Sessions
internal import ZeroMQ

/// Who may come in. Everything here fails closed: what is not proven to be in place keeps the broker from serving.
extension BrokerService {
    /// Refuses to listen where others can come and nobody is asked who they are.
    func checkExposure() throws {
        let exposed = configuration.exposedEndpoints
        guard configuration.security == nil, !exposed.isEmpty else { return }
        guard configuration.bindsInsecurely else { throw SecurityFailure(BrokerServiceConfiguration.exposureRule) }
        logger.warning(
            "INSECURE: whoever reaches these endpoints can read and send queries, and serve as a worker",
            metadata: ["endpoints": "\(exposed.joined(separator: " "))"]
        )
    }

    /// Has the thread that checks keys refuse one, before there is a socket that would ask it.
    func startCheckingKeys() throws {
        guard let table = configuration.security?.table else { return }
        let refusals = refusals
        let checker = ZAPHandler { question in
            let owner = Role(rawValue: question.domain).flatMap { table.owner(of: question.key, as: $0) }
            if owner == nil { refusals.note(question) }
            return owner?.name
        }
        try checker.start()
        keyChecker = checker
    }

    func endpoint(_ address: String, _ role: Role, _ methods: Set<Method>) throws -> SessionEndpoint {
        try SessionEndpoint(
            address: address,
            methods: methods,
            brokerName: instance,
            configuration: configuration.sessions,
            security: try security(of: role),
            makeSessionNumber: { [unowned self] in assumeIsolated { $0.makeSessionNumber() } },
            logger: logger
        )
    }

    /// Opens the endpoints for roles in this process, if there are to be any.
    func bindInside() throws(ZeroMQError) -> InsideAddresses? {
        guard configuration.servesInside, configuration.security == nil, let frontend, let worker, let scheduler else {
            return nil
        }
        return InsideAddresses(
            frontend: try frontend.bindInside("inproc://\(instance)-frontend"),
            worker: try worker.bindInside("inproc://\(instance)-worker"),
            scheduler: try scheduler.bindInside("inproc://\(instance)-scheduler")
        )
    }

    private func security(of role: Role) throws -> EndpointSecurity? {
        guard let security = configuration.security else { return nil }
        guard let keys = security.keys[role] else { throw SecurityFailure("the broker has no key for \(role)s") }
        return EndpointSecurity(keys: keys, role: role, table: security.table)
    }

    /// Knocks at every endpoint with a key that nobody has, and wants to be refused.
    func probe(_ endpoints: [(Role, SessionEndpoint)]) throws {
        guard let security = configuration.security else { return }
        for (role, endpoint) in endpoints {
            guard let server = security.keys[role]?.publicKey else { continue }
            let stranger = PeerKeys(own: CurveKeyPair(), server: server)
            let outcome = try HandshakeProbe.outcome(at: endpoint.address, with: stranger, patience: .seconds(5))
            guard outcome == .refused else {
                throw SecurityFailure(
                    "\(endpoint.address) does not refuse a key that nobody has (\(outcome)); the broker does not start"
                )
            }
        }
        refusals.open()
        logger.info("keys are checked; a stranger's was refused at every endpoint")
    }

    /// On whose behalf a session acts.
    func account(of session: SessionID, on endpoint: SessionEndpoint?) -> Account {
        Account(tenant: endpoint?.principal(of: session.rawValue)?.tenant)
    }
}

extension BrokerServiceConfiguration {
    /// Endpoints that more than this machine can reach.
    package var exposedEndpoints: [String] {
        [frontendEndpoint, workerEndpoint, schedulerEndpoint, adminEndpoint].filter { !Exposure.isLocal($0) }
    }

    /// What to do about them.
    package static let exposureRule =
        "nobody would be asked who they are. Give the broker keys (--keys DIR; aladdin keys init makes them), listen on "
        + "127.0.0.1, or add --insecure-bind if only trusted machines can reach this network"
}
