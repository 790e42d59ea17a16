"""Active ISO 4217 alphabetic codes.

Source: ISO 4217 list one (currencies and funds in use), the X-codes for metals, testing and "no
currency" left out: no bill is in them. HRK, CUC and other codes of bills still being read after a
change of currency are kept in `RECENT`.
"""

from __future__ import annotations

_ACTIVE = """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD
    CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP
    GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR
    KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN
    MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD
    SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX
    USD USN UYI UYU UYW UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
"""

ACTIVE = frozenset(_ACTIVE.split())
"""Codes in use today."""

RECENT = frozenset({"ANG", "BGN", "CUC", "HRK", "SLL", "ZWL"})
"""Codes withdrawn in the last years that bills of the last years are in."""

CURRENCIES = ACTIVE | RECENT
"""Every code a bill may be in."""
