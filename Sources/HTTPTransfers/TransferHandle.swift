internal import CCurl
internal import Glibc
internal import ServingModel

/// One of libcurl's easy handles, for one request after another, and what it needs to live.
final class TransferHandle {
    /// What is set for a request beside its body; most of a server's requests are alike in it, and what is set stays set.
    private struct Shape: Equatable {
        var request: HTTPRequest
        var posts: Bool
        var isLarge: Bool
    }

    let easy: UnsafeMutableRawPointer
    private var shape: Shape?
    private var handle: HTTPClient.Handler?
    private var headers: UnsafeMutablePointer<curl_slist>?
    private var hasBegun = false
    /// Of a large body, which libcurl asks for as it sends it.
    private var body: [UInt8] = []
    private var sentBytes = 0

    /// What libcurl has a copy of, and sends in one piece with the headers.
    private static let largestCopy = 32 << 10
    /// Bytes of a large body that it asks for at a time.
    private static let largestPiece = 256 << 10

    /// Nil if there is no memory for one.
    init?() {
        guard let easy = curl_easy_init() else { return nil }
        self.easy = easy
    }

    deinit {
        curl_easy_cleanup(easy)
        curl_slist_free_all(headers)
    }

    /// Makes it ready for another request; the one before has ended.
    func prepare(for request: HTTPRequest, _ handle: @escaping HTTPClient.Handler) throws(TransferFailure) {
        var common = request
        let body = common.body.take()
        let shape = Shape(request: common, posts: body != nil, isLarge: (body?.count ?? 0) > Self.largestCopy)
        self.handle = handle
        hasBegun = false
        sentBytes = 0
        self.body = shape.isLarge ? body ?? [] : []
        var isSet = true
        if shape != self.shape {
            isSet = set(common)
            self.shape = shape
        }
        if let body { isSet = isSet && post(body) }
        guard isSet else {
            self.shape = nil
            throw TransferFailure(.failed, "libcurl refuses the request")
        }
    }

    private func set(_ request: HTTPRequest) -> Bool {
        curl_easy_reset(easy)
        curl_slist_free_all(headers)
        headers = nil
        // curl waits for a "100 Continue" before larger bodies unless told not to.
        for line in request.headers + ["Expect:"] { headers = curl_slist_append(headers, line) }
        var isSet =
            aladdin_curl_set_string(easy, CURLOPT_URL, request.url) == CURLE_OK
            && aladdin_curl_set_long(easy, CURLOPT_NOSIGNAL, 1) == CURLE_OK
            // A connection belongs to one request at a time: closing it is how a server is told to stop.
            && aladdin_curl_set_long(easy, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1)) == CURLE_OK
            && aladdin_curl_set_pointer(easy, CURLOPT_HTTPHEADER, headers) == CURLE_OK
            && aladdin_curl_set_body_function(easy, receiveBody) == CURLE_OK
            && aladdin_curl_set_pointer(easy, CURLOPT_WRITEDATA, Unmanaged.passUnretained(self).toOpaque())
                == CURLE_OK
            && set(CURLOPT_CONNECTTIMEOUT_MS, milliseconds: request.connectTimeout)
            && set(CURLOPT_TIMEOUT_MS, milliseconds: request.timeout ?? .zero)
        if let idle = request.idleTimeout {
            isSet =
                isSet && aladdin_curl_set_long(easy, CURLOPT_LOW_SPEED_LIMIT, 1) == CURLE_OK
                && aladdin_curl_set_long(easy, CURLOPT_LOW_SPEED_TIME, max(1, Int(idle.seconds.rounded(.up))))
                    == CURLE_OK
        }
        if let method = request.method {
            isSet = isSet && aladdin_curl_set_string(easy, CURLOPT_CUSTOMREQUEST, method) == CURLE_OK
        }
        if let file = request.trustedCertificates {
            isSet = isSet && aladdin_curl_set_string(easy, CURLOPT_CAINFO, file) == CURLE_OK
        }
        return isSet
    }

    private func post(_ body: [UInt8]) -> Bool {
        guard body.count > Self.largestCopy else { return aladdin_curl_set_post(easy, body, body.count) == CURLE_OK }
        return aladdin_curl_set_post_source(
            easy,
            Int(body.count),
            min(body.count, Self.largestPiece),
            sendBody,
            seekBody,
            Unmanaged.passUnretained(self).toOpaque()
        ) == CURLE_OK
    }

    /// Copies the next bytes of the body to where they are sent from.
    ///
    /// - Returns: how many.
    func fill(_ room: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(room.count, body.count - sentBytes)
        guard count > 0 else { return 0 }
        body.withUnsafeBytes {
            room.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[sentBytes..<sentBytes + count]))
        }
        sentBytes += count
        return count
    }

    /// The next byte to send is this one.
    func seek(to offset: Int) -> Bool {
        guard (0...body.count).contains(offset) else { return false }
        sentBytes = offset
        return true
    }

    func receive(_ bytes: UnsafeRawBufferPointer) -> HTTPInterest {
        begin() == .more ? handle?(.body([UInt8](bytes))) ?? .enough : .enough
    }

    func end(_ failure: TransferFailure?) {
        if failure == nil { _ = begin() }
        _ = handle?(.ended(failure))
        handle = nil
        body = []
    }

    private func begin() -> HTTPInterest {
        guard !hasBegun, let handle else { return .more }
        hasBegun = true
        let seconds = aladdin_curl_retry_after(easy)
        return handle(
            .began(
                status: aladdin_curl_status(easy),
                retryAfter: seconds > 0 ? .seconds(Int64(min(seconds, 3600))) : nil
            )
        )
    }

    private func set(_ option: CURLoption, milliseconds interval: Interval) -> Bool {
        aladdin_curl_set_long(easy, option, Int(interval.milliseconds.rounded(.up))) == CURLE_OK
    }
}

private nonisolated func receiveBody(
    _ bytes: UnsafeMutablePointer<CChar>?,
    _ size: Int,
    _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let bytes, let context else { return 0 }
    let transfer = Unmanaged<TransferHandle>.fromOpaque(context).takeUnretainedValue()
    // Taking less than there is ends the transfer.
    return transfer.receive(UnsafeRawBufferPointer(start: bytes, count: size * count)) == .more ? size * count : 0
}

private nonisolated func sendBody(
    _ bytes: UnsafeMutablePointer<CChar>?,
    _ size: Int,
    _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let bytes, let context else { return 0 }
    let transfer = Unmanaged<TransferHandle>.fromOpaque(context).takeUnretainedValue()
    return transfer.fill(UnsafeMutableRawBufferPointer(start: bytes, count: size * count))
}

private nonisolated func seekBody(_ context: UnsafeMutableRawPointer?, _ offset: curl_off_t, _ origin: CInt) -> CInt {
    guard let context, origin == SEEK_SET else { return CURL_SEEKFUNC_CANTSEEK }
    let transfer = Unmanaged<TransferHandle>.fromOpaque(context).takeUnretainedValue()
    return transfer.seek(to: Int(offset)) ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL
}
