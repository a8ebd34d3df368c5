package import ServingModel

/// On whose behalf somebody sends queries and asks after them.
///
/// A tenant sees its own queries; of others' it does not even learn that they exist.
package struct Account: Hashable, Sendable {
    /// The one tenant that it speaks for; nil for any, as where nobody is asked who they are.
    package var tenant: String?

    package static let any = Account(tenant: nil)

    package init(tenant: String?) {
        self.tenant = tenant
    }

    /// The account as narrowed to a tenant that was named; an empty name narrows nothing.
    ///
    /// - Throws: a `Status` if it does not speak for that tenant.
    package func acting(for named: String) throws(Status) -> Account {
        guard !named.isEmpty, named != tenant else { return self }
        guard tenant == nil else {
            throw Status(
                .permissionDenied,
                .tenantForbidden,
                "this key does not speak for the tenant that was named; leave \(MetadataKey.tenant) out"
            )
        }
        return Account(tenant: named)
    }

    func sees(_ query: QueryRecord) -> Bool {
        tenant == nil || tenant == query.submission.tenant
    }
}

extension Submission {
    /// Puts the query on an account, whose tenant it gets; its idempotency key is unique within that tenant.
    ///
    /// - Throws: a `Status` if it names a tenant that the account does not speak for, or chooses its worker as a tenant.
    package mutating func charge(_ account: Account) throws(Status) {
        guard worker == nil || account.tenant == nil else {
            throw Status(
                .permissionDenied,
                .tenantForbidden,
                "a key of one tenant may not choose workers; leave \(MetadataKey.worker) out"
            )
        }
        tenant = try account.acting(for: tenant).tenant ?? ""
        owner = tenant
    }
}
