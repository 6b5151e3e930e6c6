def latency_page(s): return ""
