//! Questions about the past beside those about now.

use std::path::Path;
use std::time::Duration;

use projections::Query;
use serde_json::{Value, json};

use super::{available, open_a_shop, options};
use crate::reply::Reply;
use crate::service::Service;

fn query(body: Value) -> Query {
    serde_json::from_value(body).unwrap()
}

fn about_the_past() -> Query {
    query(json!({"filter": {"sku": "TEA-01"}, "as_of": {"sequence": 6}}))
}

async fn quantity_then(service: &Service) -> Result<Value, Reply> {
    let page = service.query("stock_position", about_the_past()).await?;
    Ok(page.rows[0]["quantity"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_few_questions_about_the_past_wait_more_are_busy_and_those_about_now_are_answered() {
    let service = Service::in_memory(options(Path::new("nowhere"))).unwrap();
    let received = open_a_shop(&service).await;
    assert_eq!(available(&service, &received["position"]).await, 8);
    let turn = service.0.past.turn().await.unwrap();
    let ask = || {
        let service = service.clone();
        tokio::spawn(async move { quantity_then(&service).await })
    };
    let asked: Vec<_> = (0..9).map(|_| ask()).collect();
    while !asked.iter().any(tokio::task::JoinHandle::is_finished) {
        tokio::task::yield_now().await;
    }
    let hash = query(json!({"filter": {"ledger_hash": true}}));
    let refused = service.query("health", hash).await.unwrap_err();
    assert_eq!((refused.status(), refused.code()), ("busy", Some("as_of_busy")));
    assert!(refused.message().unwrap().contains("8 questions about the past"), "{refused:?}");
    let now = query(json!({"filter": {"sku": "TEA-01"}, "min_position": received["position"]}));
    assert_eq!(service.query("stock_position", now).await.unwrap().rows[0]["quantity"], 8);

    drop(turn);
    let mut busy = 0;
    for asked in asked {
        match asked.await.unwrap() {
            Ok(quantity) => assert_eq!(quantity, 8),
            Err(refused) => {
                assert_eq!(refused.code(), Some("as_of_busy"));
                busy += 1;
            }
        }
    }
    assert_eq!(busy, 1, "the ninth");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_views_are_folded_anew_the_third_ledger_is_theirs() {
    let service = Service::in_memory(options(Path::new("nowhere"))).unwrap();
    let received = open_a_shop(&service).await;
    assert_eq!(available(&service, &received["position"]).await, 8);
    let place = service.0.past.take();
    let refused = quantity_then(&service).await.unwrap_err();
    assert!(refused.message().unwrap().contains("folded anew"), "{refused:?}");
    drop(place);
    assert_eq!(quantity_then(&service).await.unwrap(), 8);
    assert!(service.rebuild_views(false).unwrap().in_use);
    assert_eq!(quantity_then(&service).await.unwrap(), 8);
}

#[tokio::test]
async fn the_ledger_of_the_past_is_let_go_when_nobody_asks() {
    for (kept, is_there) in [(Duration::from_secs(300), true), (Duration::ZERO, false)] {
        let mut options = options(Path::new("nowhere"));
        options.past_kept = kept;
        let service = Service::in_memory(options).unwrap();
        let received = open_a_shop(&service).await;
        assert_eq!(available(&service, &received["position"]).await, 8);
        assert_eq!(quantity_then(&service).await.unwrap(), 8);
        tokio::time::sleep(Duration::from_millis(600)).await;
        assert_eq!(service.projections().forget_past(Duration::ZERO), is_there, "kept for {kept:?}");
        assert_eq!(quantity_then(&service).await.unwrap(), 8, "it is folded again");
    }
}
