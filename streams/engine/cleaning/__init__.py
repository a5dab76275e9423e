"""数据清洗: what makes raw events fit for profiles and models. Everything it changes is counted."""
