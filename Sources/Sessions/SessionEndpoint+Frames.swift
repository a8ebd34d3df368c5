internal import Logging
internal import Messages
internal import ServingModel
internal import ZeroMQ

extension SessionEndpoint {
    func process(_ incoming: Incoming, at now: Instant, _ handle: (Input) -> Void) {
        guard let route = incoming.from else { return }
        checkRights()
        guard let frames = incoming.handed as? HandedFrames else {
            if let input = decode(incoming, from: route, at: now) { handle(input) }
            return
        }
        frames.each { frame in
            if let input = process(frame.header, frame.body, from: route, at: now) { handle(input) }
        }
    }

    private func decode(_ incoming: Incoming, from route: RoutingID, at now: Instant) -> Input? {
        guard incoming.excessFrames == 0, (1...2).contains(incoming.frames.count) else {
            noteMalformedFrame(from: route)
            return nil
        }
        let body = incoming.frames.count == 2 ? incoming.frames[1] : []
        let header: FrameHeader
        do throws(MalformedFrame) {
            header = try FrameHeader(decoding: incoming.frames[0], bodyLength: body.count)
        } catch {
            if noteMalformedFrame(from: route) { refuse(route, error.status) }
            return nil
        }
        return process(header, .bytes(body), from: route, user: incoming.user, at: now)
    }

    private func process(
        _ header: FrameHeader,
        _ body: FrameBody,
        from route: RoutingID,
        user: String? = nil,
        at now: Instant
    ) -> Input? {
        guard header.kind != .hello else {
            hello(from: route, user, body, at: now)
            return nil
        }
        switch table.hear(session: header.session, from: route, user: user, at: now) {
        case .refused(let status):
            if header.kind != .goodbye { refuse(route, status) }
            return nil
        case .accepted(let session):
            return dispatch(header, body, of: session, at: now)
        }
    }

    private func dispatch(_ header: FrameHeader, _ body: FrameBody, of session: UInt64, at now: Instant) -> Input? {
        let mayGoOn =
            switch header.kind {
            case .ping, .pong: table.noteControl(in: session, at: now)
            case .cancel: table.noteCancellation(in: session, at: now)
            default: true
            }
        guard mayGoOn else {
            expel(session, Status(.resourceExhausted, .tooFast, "more pings, pongs and cancellations than are needed"))
            return nil
        }
        switch header.kind {
        case .ping:
            _ = transmit(.pong, to: session)
        case .pong:
            break
        case .goodbye:
            end(session, "it said goodbye")
        case .call:
            return open(header, body, in: session)
        case .item where methods.contains(header.method):
            return .item(session: session, stream: header.stream, method: header.method, body: body)
        case .cancel:
            return .cancel(session: session, stream: header.stream)
        case .hello, .welcome, .error, .end, .item, .bundle:
            violate(session, "a peer must not send frame kind \(header.kind.rawValue) for this method here")
        }
        return nil
    }

    private func open(_ header: FrameHeader, _ body: FrameBody, in session: UInt64) -> Input? {
        guard methods.contains(header.method) else {
            let status = Status(.permissionDenied, .wrongRole, "this method is not served on this endpoint")
            send(.end, method: header.method, stream: header.stream, to: session, body: status.encode())
            return nil
        }
        do throws(Status) {
            try table.open(stream: header.stream, in: session)
        } catch {
            violate(session, error.message)
            return nil
        }
        return .call(session: session, stream: header.stream, method: header.method, body: body)
    }

    private func hello(from route: RoutingID, _ user: String?, _ body: FrameBody, at now: Instant) {
        let hello: Hello
        do throws(DecodingFailure) {
            hello = try body.decoded(as: Hello.self)
        } catch {
            if noteMalformedFrame(from: route) {
                refuse(route, Status(.invalidArgument, .malformed, error.description))
            }
            return
        }
        let session = makeSessionNumber()
        do throws(Status) {
            let principal = try principal(named: user)
            try countHello(of: user, at: now)
            let previous = try table.open(
                number: session,
                route: route,
                name: hello.name,
                software: hello.software,
                principal: principal,
                at: now
            )
            if let previous {
                bundles[previous] = nil
                handovers[previous] = nil
                arrivals[previous] = nil
                pendingEnds.append(previous)
            }
        } catch {
            refuse(route, error)
            return
        }
        let welcome = Welcome(
            session: session,
            broker: brokerName,
            heartbeatInterval: configuration.heartbeatInterval,
            sessionTimeout: configuration.sessionTimeout,
            limits: limits
        )
        logger.debug(
            "session opened",
            metadata: ["session": "\(session)", "peer": "\(hello.name)", "key": "\(user ?? "none")"]
        )
        arrivals[session] = socket.watchArrivals()
        _ = transmit(.welcome, to: session, body: welcome.encode())
        // It may have gone meanwhile, and its session with it.
        guard table[session] != nil else { return }
        if route.isInside { handovers[session] = [] } else if hello.takesBundles { bundles[session] = FrameBundle() }
    }

    /// Answers a peer that has no session, unless there were too many of those lately.
    func refuse(_ route: RoutingID, _ status: Status) {
        guard refusals.take(at: PollLoop.now()) else { return }
        let body = status.encode()
        let header = FrameHeader(kind: .error, session: 0, bodyLength: body.count)
        _ = socket.send([header.encode(), body], to: route)
    }

    private func violate(_ session: UInt64, _ message: String) {
        malformedFrames += 1
        expel(session, Status(.failedPrecondition, .protocolViolation, message))
    }

    /// Takes the session off the books; the service hears of it after the frame at hand.
    func end(_ session: UInt64, _ why: String) {
        guard table.close(session) != nil else { return }
        logger.debug("session ended", metadata: ["session": "\(session)", "why": "\(why)"])
        outboxes[session] = nil
        bundles[session] = nil
        handovers[session] = nil
        arrivals[session] = nil
        pendingEnds.append(session)
    }

    /// A large frame on a slow link is no silence.
    func watchArrivals(at now: Instant) {
        let quiet = table.quiet(for: configuration.heartbeatInterval, at: now)
        for session in quiet where arrivals[session]?.look() == true { table.noteArrival(in: session, at: now) }
        let others = Set(arrivals.keys).subtracting(quiet)
        for session in others { arrivals[session]?.rest() }
    }

    func reportEnds(to handle: (Input) -> Void) {
        while !pendingEnds.isEmpty {
            let ends = pendingEnds
            pendingEnds.removeAll()
            for session in ends { handle(.ended(session: session)) }
        }
    }
}
