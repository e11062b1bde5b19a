import * as lib from '../../src/index.ts'
import { modules } from '../conformance/index.ts'
import { runSuite } from '../conformance/suite.ts'
import { insecurePage } from './insecure-page.ts'

// Served from two hosts: all tests run on localhost, a secure context, and a few on a host that is not one.
const isLocal = location.hostname === 'localhost'

const result = await runSuite(isLocal ? modules : { insecurePage }, lib, '', navigator.userAgent)
await fetch('/result', { method: 'POST', body: JSON.stringify({ isSecureContext, result }) })
if (isLocal) location.replace('http://insecure.test/')
