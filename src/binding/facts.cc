#include "binding/facts.h"

#include <cstdlib>

#include "binding/arguments.h"
#include "binding/errors.h"

namespace binding {
namespace {

Napi::Value FactsAsObject(Napi::Env env, const core::RegionFacts& facts) {
  Napi::Object object = Napi::Object::New(env);
  auto number = [&](const char* name, uint64_t value) {
    object.Set(name, Napi::Number::New(env, static_cast<double>(value)));
  };
  number("address", reinterpret_cast<uintptr_t>(facts.address));
  number("span", facts.span);
  number("pageSize", facts.page_size);
  number("offset", facts.offset);
  number("length", facts.length);
  number("prot", static_cast<uint64_t>(facts.prot));
  number("flags", static_cast<uint64_t>(facts.flags));
  object.Set("fd", Napi::Number::New(env, facts.fd));
  object.Set("device", Napi::BigInt::New(env, facts.device));
  object.Set("inode", Napi::BigInt::New(env, facts.inode));
  object.Set("decommitted", Napi::Boolean::New(env, facts.decommitted));
  object.Set("peersReadonly", Napi::Boolean::New(env, facts.peers_readonly));
  object.Set("preallocated", Napi::Boolean::New(env, facts.preallocated));
  if (facts.label[0] != '\0') object.Set("label", Napi::String::New(env, facts.label));
  return object;
}

// Gathered under the list's lock, turned into objects outside of it.
struct Gathered {
  core::RegionFacts* items = nullptr;
  size_t count = 0;
  size_t capacity = 0;
};

void Gather(const core::RegionFacts& facts, void* context) {
  auto* all = static_cast<Gathered*>(context);
  if (all->count == all->capacity) {
    all->capacity = all->capacity == 0 ? 64 : all->capacity * 2;
    void* grown = std::realloc(all->items, all->capacity * sizeof *all->items);
    if (grown == nullptr) std::abort();
    all->items = static_cast<core::RegionFacts*>(grown);
  }
  all->items[all->count++] = facts;
}

}  // namespace

Napi::Value Length(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const Handle* handle = arguments.HandleAt(0);
  if (arguments.Bad()) return {info.Env(), nullptr};
  core::Region* region = handle->lease.region();
  if (region == nullptr) return Throw(info.Env(), Unmapped());
  return Napi::Number::New(info.Env(), static_cast<double>(region->Facts().length));
}

Napi::Value Facts(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const Handle* handle = arguments.HandleAt(0);
  if (arguments.Bad()) return {info.Env(), nullptr};
  core::Region* region = handle->lease.region();
  return region == nullptr ? Throw(info.Env(), Unmapped()) : FactsAsObject(info.Env(), region->Facts());
}

Napi::Value List(const Napi::CallbackInfo& info) {
  Gathered all;
  core::Region::ForEach(Gather, &all);
  Napi::Array list = Napi::Array::New(info.Env(), all.count);
  for (size_t i = 0; i < all.count; ++i) list.Set(static_cast<uint32_t>(i), FactsAsObject(info.Env(), all.items[i]));
  std::free(all.items);
  return list;
}

}  // namespace binding
