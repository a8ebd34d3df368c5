internal import NIOCore

/// The live page at the root: the cluster as the gateway knows it, drawn by the browser.
///
/// One self-contained document, put together from the files in `Page/`; it takes its figures from `/v1/cluster`.
enum ClusterPage {
    static let document: ByteBuffer = {
        var html = text(PackageResources.page_html)
        for (place, part) in [
            ("/*page.css*/", PackageResources.page_css), ("/*charts.js*/", PackageResources.charts_js),
            ("/*view.js*/", PackageResources.view_js), ("/*page.js*/", PackageResources.page_js),
        ] {
            html = html.replacing(place, with: text(part))
        }
        return ByteBuffer(string: html)
    }()

    /// What the page may do.
    ///
    /// It runs what is in it and asks where it comes from. Nothing else is loaded, and nobody frames it.
    static let policy = """
        default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; connect-src 'self'; \
        base-uri 'none'; form-action 'none'; frame-ancestors 'none'
        """

    private static func text(_ bytes: [UInt8]) -> String {
        String(decoding: bytes, as: UTF8.self)
    }
}
