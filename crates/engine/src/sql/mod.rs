//! Statements: DataFusion's, and our own beside them.

mod alter_model;
mod create_model;
mod describe_model;
mod drop_model;
mod model_task;
mod own_statement;
mod parser;
mod samples;
mod show_functions;
mod show_models;
mod words;

pub use alter_model::{AlterModel, ModelChange};
pub use create_model::CreateModel;
pub use describe_model::DescribeModel;
pub use drop_model::DropModel;
pub use own_statement::{OwnStatement, StatementSyntax, Syntax, built_in};
pub use parser::{Statement, is_complete, parse};
pub use show_functions::ShowFunctions;
pub use show_models::ShowModels;
