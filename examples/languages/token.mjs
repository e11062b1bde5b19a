const response = await fetch(process.env.TOKEN_URL, {
  method: 'POST',
  headers: { Authorization: `Bearer ${process.env.API_KEY}`, 'Content-Type': 'application/json' },
  body: JSON.stringify({ id: 'customer-42', name: 'Acme Inc.' }),
  signal: AbortSignal.timeout(10_000),
})
if (!response.ok) throw new Error(await response.text())
console.log((await response.json()).token)
