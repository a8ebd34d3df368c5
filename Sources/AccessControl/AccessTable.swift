internal import Glibc
internal import Synchronization
package import ZeroMQ

/// Who may do what now: the registry as last read, for every thread of the process.
package final class AccessTable: Sendable {
    private struct State {
        var registry = AccessRegistry()
        /// The parts of this very process, whose keys are on no disk.
        var own: [CurveKey: Principal] = [:]
        /// Names that came to have another key while we looked; their connections cannot be told apart any more.
        var ambiguous: Set<String> = []
        /// Until when expiries have counted as changes.
        var checked: Int
    }

    private let state: Mutex<State>
    private let changes = Atomic<UInt64>(1)

    private let now: @Sendable () -> Int

    /// - Parameter now: the wall clock, in seconds since 1970, by which keys expire.
    package init(
        _ registry: AccessRegistry = AccessRegistry(),
        now: @escaping @Sendable () -> Int = { time(nil) }
    ) {
        self.now = now
        state = Mutex(State(registry: registry, checked: now()))
    }

    /// Grows whenever somebody's rights may have changed; reading it costs next to nothing.
    package var generation: UInt64 { changes.load(ordering: .acquiring) }

    /// Takes a newer registry over.
    package func replace(_ registry: AccessRegistry) {
        state.withLock { state in
            for principal in state.registry.principals {
                if let newer = registry[principal.name], newer.proof != principal.proof || newer.role != principal.role
                {
                    state.ambiguous.insert(principal.name)
                }
            }
            state.registry = registry
        }
        changes.add(1, ordering: .acquiringAndReleasing)
    }

    /// Makes keys that have expired since the last call a change of somebody's rights.
    package func noteExpiries() {
        let time = now()
        let isChanged = state.withLock { state in
            let expired = state.checked < time ? state.checked + 1..<time + 1 : 0..<0
            state.checked = time
            return state.registry.principals.contains { $0.expires.map(expired.contains) ?? false }
        }
        if isChanged { changes.add(1, ordering: .acquiringAndReleasing) }
    }

    /// Lets a part of this process in, under a name that no principal can have.
    package func admit(_ name: String, as role: Role) -> CurveKeyPair {
        let keys = CurveKeyPair()
        let principal = Principal(
            name: "(\(name))",
            role: role,
            tenant: nil,
            proof: .curve(keys.publicKey),
            created: 0
        )
        state.withLock { $0.own[keys.publicKey] = principal }
        return keys
    }

    /// The owner of a key if it is good for this role.
    package func owner(of key: CurveKey, as role: Role) -> Principal? {
        let time = now()
        return state.withLock { state in
            if let own = state.own[key], own.role == role { return own }
            guard let owner = state.registry.owner(of: key, as: role, at: time), !state.ambiguous.contains(owner.name)
            else {
                return nil
            }
            return owner
        }
    }

    /// The owner of an API key.
    package func owner(ofAPIKey text: String) -> Principal? {
        let registry = state.withLock { $0.registry }
        return registry.owner(ofAPIKey: text, at: now())
    }

    /// The principal of that name if it still has this role.
    package func active(_ name: String, as role: Role) -> Principal? {
        let time = now()
        return state.withLock { state in
            if let own = state.own.values.first(where: { $0.name == name }) { return own.role == role ? own : nil }
            guard let principal = state.registry[name], principal.role == role, principal.isActive(at: time),
                !state.ambiguous.contains(name)
            else { return nil }
            return principal
        }
    }
}
