"""Operations: one row or one small class each.

op            what an operation is, and the registry
formula       elementwise operations made from a formula
elementwise   their rows
reduce shape index join linalg softmax convert   the others, by what they do
"""
