"""The client REST API v2 with its event streams, and the web app's hosting (sheet 09).

Entry points: `rostra.clientapi.app.create_app` and `rostra.clientapi.serving.serve`.
"""
