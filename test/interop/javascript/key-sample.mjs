import jwt from 'jsonwebtoken'

// Your workspace key.
// You can find it on the Settings page.
const WORKSPACE_KEY = '<WORKSPACE_KEY>'
// Do not expose your private key to anyone. You should only use it to sign tokens.
const PRIVATE_KEY = `<YOUR PRIVATE KEY>`

const tokenData = {
  // Identifier of user or organization.
  id: '{CUSTOMER_ID}',
  // Human-readable name (it will simplify troubleshooting)
  name: '{CUSTOMER_NAME}',
  // (optional) Any user fields you want to attach to your user.
  fields: {
    userField: '<user field value>',
  },
}

const options = {
  issuer: WORKSPACE_KEY,
  // To prevent token from being used for too long
  expiresIn: 7200,
  algorithm: 'ES256', // or any other asymmetric algorithm you prefer (RS*, ES*, PS*)
}

const token = jwt.sign(tokenData, PRIVATE_KEY, options)

export { token }
