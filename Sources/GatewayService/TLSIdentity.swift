internal import Foundation
internal import NIOSSL

/// The certificate by which clients know a gateway, and the key that goes with it.
package struct TLSIdentity: Sendable {
    let configuration: TLSConfiguration

    /// What is wrong with one of the two files.
    package struct Fault: Error, Sendable {
        package enum File: Sendable {
            case certificate
            case key
        }

        package var file: File
        /// Why, the rest of a sentence about the file.
        package var reason: String
    }

    /// Reads both, and sees whether they belong together.
    ///
    /// - Parameters:
    ///   - certificate: a PEM file with the certificate, followed by those that vouch for it.
    ///   - key: a PEM file with its private key, which nobody but its owner and group may read.
    package init(certificate: String, key: String) throws(Fault) {
        let chain = try Self.chain(certificate)
        let privateKey = try Self.privateKey(key)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) },
            privateKey: .privateKey(privateKey)
        )
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        do {
            _ = try NIOSSLContext(configuration: configuration)
        } catch {
            throw Fault(file: .key, reason: "is not the key of the certificate in \(certificate)")
        }
        self.configuration = configuration
    }

    private static func chain(_ path: String) throws(Fault) -> [NIOSSLCertificate] {
        let bytes = try read(path, .certificate)
        guard let chain = try? NIOSSLCertificate.fromPEMBytes(bytes), !chain.isEmpty else {
            throw Fault(file: .certificate, reason: "has no certificate")
        }
        return chain
    }

    private static func privateKey(_ path: String) throws(Fault) -> NIOSSLPrivateKey {
        let bytes = try read(path, .key)
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        let permissions = (attributes?[.posixPermissions] as? NSNumber)?.intValue ?? 0
        guard permissions & 0o007 == 0 else {
            throw Fault(
                file: .key,
                reason: "may be read by everybody (mode \(String(permissions, radix: 8))); chmod o= it"
            )
        }
        guard let key = try? NIOSSLPrivateKey(bytes: bytes, format: .pem) else {
            throw Fault(file: .key, reason: "has no private key without a passphrase")
        }
        return key
    }

    private static func read(_ path: String, _ file: Fault.File) throws(Fault) -> [UInt8] {
        do {
            let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? handle.close() }
            return Array(try handle.read(upToCount: 1 << 20) ?? Data())
        } catch {
            let isThere = FileManager.default.fileExists(atPath: path)
            throw Fault(file: file, reason: isThere ? "cannot be read" : "does not exist")
        }
    }
}
