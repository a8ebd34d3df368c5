/// The page at the root: what this is and a command to try.
///
/// One file, no scripts, nothing loaded from elsewhere.
enum LandingPage {
    /// The page for a client that used `authority`, a host and perhaps a port, which the command shows.
    static func html(authority: String) -> String {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>Aladdin</title>
        <style>
        :root { color-scheme: light dark; --line: #8884; --soft: #8881; }
        body { font: 16px/1.55 system-ui, sans-serif; max-width: 44rem; margin: 3rem auto; padding: 0 1.25rem; }
        h1 { font-size: 1.6rem; margin-bottom: .25rem; }
        pre { background: var(--soft); border: 1px solid var(--line); border-radius: 6px; padding: .8rem 1rem;
              overflow-x: auto; }
        td { padding: .2rem 1.2rem .2rem 0; vertical-align: top; }
        code { font: .92em ui-monospace, monospace; }
        </style>
        </head>
        <body>
        <h1>Aladdin</h1>
        <p>A scheduler for queries to language models that keeps its promises: each query is placed so that the time
        to its first token and the time between tokens meet its objectives. This is its gateway, compatible with
        OpenAI's interface.</p>
        <pre><code>curl http://\(escaped(authority))/v1/chat/completions \\
          -H 'content-type: application/json' \\
          -H 'x-slo-ttft-ms: 1500' -H 'x-slo-tpot-ms: 80' \\
          -d '{"messages": [{"role": "user", "content": "Hello"}], "stream": true}'</code></pre>
        <table>
        <tr><td><code>POST <a>/v1/chat/completions</a></code></td><td>chats, whole or streamed</td></tr>
        <tr><td><code>POST <a>/v1/completions</a></code></td><td>texts, whole or streamed</td></tr>
        <tr><td><code>GET <a href="/v1/models">/v1/models</a></code></td><td>the models served now</td></tr>
        <tr><td><code>GET <a href="/ready">/ready</a></code></td><td>whether queries can be answered</td></tr>
        <tr><td><code>GET <a href="/health">/health</a></code></td><td>whether the process lives</td></tr>
        <tr><td><code>GET <a href="/metrics">/metrics</a></code></td><td>numbers for Prometheus</td></tr>
        </table>
        </body>
        </html>

        """
    }

    /// Text made safe within HTML: the authority comes from the client.
    static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;").replacing("'", with: "&#39;")
    }
}
