import AccessControl
import Testing
import ZeroMQ

@Suite("Secret keys as text")
struct SecretKeyFileTests {
    private let file = SecretKeyFile(
        name: "alice",
        role: .frontend,
        keys: CurveKeyPair(),
        server: CurveKeyPair().publicKey
    )

    @Test("A file is the same after it was written and read, with either kind of line ends")
    func roundTrip() throws {
        #expect(try SecretKeyFile(text: file.text) == file)
        #expect(try SecretKeyFile(text: file.text.split(separator: "\n").joined(separator: "\r\n")) == file)
    }

    @Test("The secret key is enough; the public one follows from it")
    func secretAlone() throws {
        let read = try SecretKeyFile(text: "secret_key \(file.keys.secretKey.reveal())")
        #expect(read.keys == file.keys)
        #expect(read.role == nil && read.server == nil)
    }

    @Test("What cannot be is refused, and the refusal never shows the secret")
    func refusals() {
        let secret = file.keys.secretKey.reveal()
        let texts = [
            "", "secret_key", "secret_key short", "secret_key \(secret)x", "secret_key \(secret.dropLast())\u{7f}",
            "secret_key \(secret)\nrole king", "secret_key \(secret)\nserver_key \(secret.dropLast())",
            "secret_key \(secret)\npublic_key \(CurveKeyPair().publicKey)",
        ]
        for text in texts {
            let error = #expect(throws: AccessError.self) { try SecretKeyFile(text: text) }
            #expect(error?.message.contains(secret.dropLast()) == false)
        }
    }

    @Test("Neither printing nor dumping shows a secret")
    func hidden() {
        let apiKey = APIKey()
        var dumped = ""
        dump(file.keys, to: &dumped)
        dump(apiKey, to: &dumped)
        let shown = "\(file.keys) \(String(reflecting: file.keys)) \(apiKey) \(String(reflecting: apiKey)) \(dumped)"
        #expect(!shown.contains(file.keys.secretKey.reveal()))
        #expect(!shown.contains(apiKey.text))
        #expect(shown.contains(file.keys.publicKey.description))
    }

    @Test("Text that is no Z85 is no key")
    func z85() {
        // The RFC's example continued to 40 characters, and the smallest numbers that do not fit four bytes.
        #expect(CurveKey("rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7") != nil)
        #expect(CurveKey(String(repeating: "%nSc1", count: 8)) == nil)
        #expect(CurveKey(String(repeating: "#", count: 40)) == nil)
        #expect(CurveKey(String(repeating: "\"", count: 40)) == nil)
        #expect(CurveKey("") == nil)
        #expect(CurveKey(bytes: [1, 2, 3]) == nil)
    }
}
