/// The style sheet of pages.
enum PageStyle {
    static var sheet: String {
        let (light, dark) = (ChartStyle.light, ChartStyle.dark)
        return """
            :root{\(variables(light, panel: "#f6f8fa"))}
            @media screen and (prefers-color-scheme:dark){:root{\(variables(dark, panel: "#151b23"))}}
            \(rules)

            """
    }

    private static func variables(_ palette: ChartStyle.Palette, panel: String) -> String {
        "--surface:\(palette.surface);--text:\(palette.text);--muted:\(palette.muted);--rule:\(palette.grid);"
            + "--strong-rule:\(palette.axis);--accent:\(palette.inks[0]);--panel:\(panel)"
    }

    private static let rules = """
        *{box-sizing:border-box}
        html{-webkit-text-size-adjust:100%}
        body{margin:0;background:var(--surface);color:var(--text);line-height:1.55;font-size:16px;
        font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
        main{max-width:780px;margin:0 auto;padding:48px 20px 40px}
        h1{font-size:30px;line-height:1.2;font-weight:650;letter-spacing:-.01em;margin:0 0 6px;text-wrap:balance}
        .subtitle{color:var(--muted);font-size:17px;margin:0}
        h2{font-size:21px;line-height:1.3;font-weight:650;margin:48px 0 10px;padding-top:14px;
        border-top:1px solid var(--rule)}
        h3{font-size:16px;line-height:1.35;font-weight:650;margin:0 0 10px}
        p,section>ul{margin:0 0 14px;max-width:68ch}
        .figures{list-style:none;margin:28px 0 0;padding:0;display:grid;gap:12px;
        grid-template-columns:repeat(auto-fit,minmax(150px,1fr))}
        .figures li{background:var(--panel);border-radius:8px;padding:14px 16px 12px}
        .figures b{display:block;font-size:28px;line-height:1.15;font-weight:650;letter-spacing:-.01em;
        font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
        .figures span{display:block;font-size:14px;line-height:1.35;margin-top:2px}
        .figures small{display:block;font-size:13px;line-height:1.35;color:var(--muted)}
        figure{margin:28px 0 32px}
        .chart{display:block;width:100%;height:auto;overflow:visible}
        .chart.narrow{display:none}
        figcaption{color:var(--muted);font-size:14px;line-height:1.45;margin-top:8px;max-width:78ch}
        .scroll{overflow-x:auto;margin:20px 0 24px}
        table{border-collapse:collapse;width:100%;font-size:14.5px;line-height:1.35;font-variant-numeric:tabular-nums}
        caption{text-align:left;font-weight:650;font-size:16px;padding:0 0 8px}
        th,td{text-align:left;padding:7px 10px;border-bottom:1px solid var(--rule);vertical-align:baseline}
        th:first-child,td:first-child{padding-left:2px}
        th:last-child,td:last-child{padding-right:2px}
        th{font-weight:500;color:var(--muted);border-bottom-color:var(--strong-rule);vertical-align:bottom}
        .number{text-align:right;white-space:nowrap}
        th.number{white-space:normal}
        td strong{color:var(--accent);font-weight:700}
        .emphasised td{background:var(--panel)}
        .emphasised td:first-child{font-weight:650}
        pre{font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;margin:0 0 14px;
        background:var(--panel);border-radius:6px;padding:10px 14px;white-space:pre-wrap;overflow-wrap:anywhere}
        footer{margin-top:56px;padding-top:16px;border-top:1px solid var(--rule);color:var(--muted);font-size:13.5px}
        footer p{margin:0 0 6px}
        @media (max-width:599px){
        main{padding:28px 16px 32px}
        h1{font-size:25px}
        h2{margin-top:36px;font-size:19px}
        .figures{grid-template-columns:repeat(auto-fit,minmax(130px,1fr));gap:8px}
        .figures li{padding:10px 12px}
        .figures b{font-size:23px}
        table{font-size:13.5px}
        th,td{padding:6px}
        .chart.wide{display:none}
        .chart.narrow{display:block}
        }
        @media print{
        @page{margin:16mm}
        body{font-size:10.5pt}
        main{max-width:none;padding:0}
        .chart.wide{display:block}
        .chart.narrow{display:none}
        h2,h3,caption{break-after:avoid}
        figure,tr,.figures li{break-inside:avoid}
        .figures li,pre,.emphasised td{background:none;border:1px solid var(--rule)}
        .emphasised td{border-width:0 0 1px}
        }
        """
}
