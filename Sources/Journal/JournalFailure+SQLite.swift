internal import GRDB

extension JournalFailure {
    /// An error of SQLite or of a row, as words for an operator.
    ///
    /// - Parameter deed: what was being done, such as "writing".
    init(_ error: any Error, _ deed: String, _ path: String) {
        switch error {
        case let error as JournalFailure: self = error
        case let error as RowDamage: self.init(.damaged, "the journal \(path) is damaged: \(error)")
        case let error as DatabaseError: self.init(error, deed, path)
        default:
            // A value of another kind than its column has. The error would show the row, and with it perhaps a prompt.
            let kind = String(describing: type(of: error))
            self.init(.damaged, "\(deed) the journal \(path) failed: what is there makes no sense (\(kind))")
        }
    }

    private init(_ error: DatabaseError, _ deed: String, _ path: String) {
        let said = error.message ?? "no more is known"
        let start = "\(deed) the journal \(path) failed"
        // The statement's arguments stay out: they may be prompts.
        let code = "SQLite's code \(error.extendedResultCode.rawValue)"
        switch error.resultCode {
        case .SQLITE_FULL:
            self.init(.inputOutput, "\(start): the disk is full; make room, then start the broker again")
        case .SQLITE_READONLY, .SQLITE_PERM:
            self.init(
                .inputOutput,
                "\(start): it cannot be written; check the file's owner and whether its file system is read-only"
            )
        case .SQLITE_IOERR:
            self.init(.inputOutput, "\(start): the disk reports an error (\(code)); look into the kernel's log")
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            self.init(.inUse, "\(start): another program holds it locked; is somebody writing with sqlite3?")
        case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_FORMAT:
            self.init(.damaged, "\(start): the file is damaged (\(said), \(code))")
        case .SQLITE_ERROR where deed == "opening":
            // Our statements are right; a header that makes no sense to SQLite is what is left.
            self.init(.damaged, "\(start): the file is damaged (\(said), \(code))")
        case .SQLITE_CONSTRAINT:
            self.init(.damaged, "\(start): a record contradicts what is there (\(said), \(code))")
        case .SQLITE_CANTOPEN:
            self.init(.inputOutput, "\(start): the file cannot be opened (\(code)); check its permissions and path")
        case .SQLITE_NOMEM:
            self.init(.inputOutput, "\(start): there is no memory left")
        default:
            self.init(.inputOutput, "\(start): \(said) (\(code))")
        }
    }
}
