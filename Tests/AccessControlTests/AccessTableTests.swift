import AccessControl
import Synchronization
import Testing
import ZeroMQ

@Suite("The table that everybody is looked up in")
struct AccessTableTests {
    private func registry(_ name: String, _ key: CurveKey, revoked: Int? = nil) throws -> AccessRegistry {
        try AccessRegistry([
            Principal(name: name, role: .frontend, tenant: nil, proof: .curve(key), created: 1, revoked: revoked)
        ])
    }

    @Test("A newer registry counts at once, and everybody can see that there is one")
    func replaces() throws {
        let key = CurveKeyPair().publicKey
        let table = AccessTable(try registry("p", key))
        let generation = table.generation
        #expect(table.owner(of: key, as: .frontend)?.name == "p")
        #expect(table.active("p", as: .frontend) != nil)
        table.replace(try registry("p", key, revoked: 2))
        #expect(table.generation > generation)
        #expect(table.owner(of: key, as: .frontend) == nil)
        #expect(table.active("p", as: .frontend) == nil)
    }

    @Test("A name that came to have another key is good for neither of them")
    func ambiguous() throws {
        let (old, new) = (CurveKeyPair().publicKey, CurveKeyPair().publicKey)
        let table = AccessTable(try registry("p", old))
        table.replace(try registry("p", new))
        #expect(table.owner(of: old, as: .frontend) == nil)
        #expect(table.owner(of: new, as: .frontend) == nil)
        #expect(table.active("p", as: .frontend) == nil)
    }

    @Test("A key that expires is good until then, and its end is a change that everybody can see")
    func expires() throws {
        let clock = Mutex(10)
        let key = CurveKeyPair().publicKey
        let registry = try AccessRegistry([
            Principal(name: "p", role: .frontend, tenant: nil, proof: .curve(key), created: 1, expires: 12)
        ])
        let table = AccessTable(registry) { clock.withLock { $0 } }
        func advance(to time: Int) -> Bool {
            let generation = table.generation
            clock.withLock { $0 = time }
            table.noteExpiries()
            return table.generation > generation
        }
        #expect(!advance(to: 11))
        #expect(table.owner(of: key, as: .frontend) != nil && table.active("p", as: .frontend) != nil)
        #expect(advance(to: 12))
        #expect(table.owner(of: key, as: .frontend) == nil && table.active("p", as: .frontend) == nil)
        #expect(!advance(to: 13))
    }

    @Test("Parts of the process itself are let in under names of their own, whatever the registry says")
    func ownParts() throws {
        let table = AccessTable()
        let keys = table.admit("gateway", as: .frontend)
        table.replace(AccessRegistry())
        #expect(table.owner(of: keys.publicKey, as: .frontend)?.name == "(gateway)")
        #expect(table.owner(of: keys.publicKey, as: .worker) == nil)
        #expect(table.active("(gateway)", as: .frontend) != nil)
        #expect(table.active("(gateway)", as: .admin) == nil)
        #expect(!Principal.isName("(gateway)"))
    }
}
