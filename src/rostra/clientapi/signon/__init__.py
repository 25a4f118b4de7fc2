"""Single sign-on of participants: SAML 2.0 and OpenID Connect (API-036, API-037).

`oidc` and `saml` decide and touch nothing, `state` seals what travels by the browser, `fetching` asks providers,
`consumers` takes users back.
"""
