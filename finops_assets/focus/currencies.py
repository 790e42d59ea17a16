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

_WHOLE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_MILLS = "BHD IQD JOD KWD LYD OMR TND"

CURRENCIES = ACTIVE | RECENT
"""Every code a bill may be in."""


def subunit_sql(column: str) -> str:
    """SQL of what a currency's smallest coin is worth, by ISO 4217's minor units: 1, 0.001, else 0.01."""
    whole, mills = (", ".join(f"'{code}'" for code in codes.split()) for codes in (_WHOLE, _MILLS))
    return f"CASE WHEN {column} IN ({whole}) THEN 1 WHEN {column} IN ({mills}) THEN 0.001 ELSE 0.01 END"
