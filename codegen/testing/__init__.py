"""What tests and benches of the engine share: models without TensorFlow, targets, a reference."""
